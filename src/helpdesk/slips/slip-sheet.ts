import { createRequire } from 'node:module';
import { setImmediate as breathe } from 'node:timers/promises';
import PDFDocument from 'pdfkit';
import QRCode from 'qrcode';

/** What stands on one slip. */
export interface PrintedSlip {
  readonly name: string;
  /** Its last three digits: with the whole NIP, whoever finds the slip could use it. */
  readonly nipEnding: string;
  readonly agency: string;
  /** Four groups of four, dashes between. */
  readonly code: string;
  readonly expiresAt: Date;
}

export interface SheetOptions {
  /** The sign-in pages' own origin: what people open and scan begins with it. */
  readonly origin: string;
  readonly institution: string;
  /** The text of a key below `slip`, as slips are written: in Indonesian. */
  readonly words: (key: string, values?: Readonly<Record<string, string>>) => string;
  readonly date: (at: Date) => string;
}

/** Slips as one document for a printer. */
export interface SlipSheet {
  /** Four to a page of A4, to be cut apart; `sender` is the office that hands them out, where it is one. */
  print(
    slips: readonly PrintedSlip[],
    about: { readonly sender: string | undefined; readonly now: Date },
  ): Promise<Buffer>;
}

type Doc = InstanceType<typeof PDFDocument>;

const PAGE = { width: 595.28, height: 841.89 };
const SLIP = { width: PAGE.width / 2, height: PAGE.height / 2 };
const MARGIN = 24;
const INNER = SLIP.width - 2 * MARGIN;
const BAND = 44;
const QR_SIDE = 84;

const COLOURS = {
  ink: '#10222a',
  quiet: '#465962',
  brand: '#0b4450',
  gold: '#f2b83b',
  soft: '#eef4f5',
  line: '#9fb0b6',
};

/** The mark of the pages (views/parts/mark.eta): a gate, and the keyhole in it. */
const GATE =
  'M4 45V32h5V20h5V10h4V3h4v17.3a7.3 7.3 0 0 0-3.5 11.7L16.5 45zM44 45V32h-5V20h-5V10h-4V3h-4v17.3a7.3 7.3 0 0 1 3.5 11.7L31.5 45z';
const KEYHOLE = 'M24 22a5 5 0 0 1 2.5 9.3L29 45H19l2.5-13.7A5 5 0 0 1 24 22z';

const require = createRequire(import.meta.url);
const FONTS = {
  regular: require.resolve('@expo-google-fonts/source-sans-3/400Regular/SourceSans3_400Regular.ttf'),
  strong: require.resolve('@expo-google-fonts/source-sans-3/600SemiBold/SourceSans3_600SemiBold.ttf'),
  bold: require.resolve('@expo-google-fonts/source-sans-3/700Bold/SourceSans3_700Bold.ttf'),
};

function band(doc: Doc, name: string): void {
  doc.rect(0, 0, SLIP.width, BAND).fill(COLOURS.brand);
  doc
    .save()
    .translate(MARGIN - 4, 5.2)
    .scale(0.86);
  doc.path(GATE).fill('#ffffff').path(KEYHOLE).fill(COLOURS.gold).restore();
  doc
    .font('bold')
    .fontSize(14)
    .fillColor('#ffffff')
    .text(name, MARGIN + 42, 16, { lineBreak: false });
  // The woven hem: a thread, and triangles below it.
  const top = BAND;
  doc.rect(0, top, SLIP.width, 0.8).fill(COLOURS.gold);
  doc.rect(0, top + 0.8, SLIP.width, 6.2).fill(COLOURS.brand);
  const step = SLIP.width / 42;
  for (let place = 0; place < 42; place += 1) {
    const left = place * step;
    doc.polygon([left, top + 7], [left + step / 2, top + 2.2], [left + step, top + 7]);
  }
  doc.fill(COLOURS.gold);
}

/** The largest size that keeps a name on the lines it has. */
function fitted(doc: Doc, text: string, { sizes, lines }: { sizes: readonly number[]; lines: number }): number {
  const fits = (size: number): boolean =>
    doc.fontSize(size).heightOfString(text, { width: INNER }) <= lines * doc.currentLineHeight(true) + 0.5;
  return sizes.find(fits) ?? sizes.at(-1) ?? 10;
}

interface Drawing extends SheetOptions {
  readonly sender: string | undefined;
  readonly qr: { readonly size: number; readonly isDark: (row: number, column: number) => boolean };
}

function code(doc: Doc, text: string, y: number): void {
  doc.roundedRect(MARGIN, y, INNER, 40, 3).fill(COLOURS.soft);
  const groups = text.split('-');
  const width = INNER / groups.length;
  doc.font('strong').fontSize(17).fillColor(COLOURS.ink);
  // Digits of one width, and a zero that is no letter.
  const features: PDFKit.Mixins.OpenTypeFeatures[] = ['tnum', 'zero'];
  groups.forEach((group, index) => {
    const at = { width, align: 'center', lineBreak: false, features, characterSpacing: 1.5 } as const;
    doc.text(group, MARGIN + index * width + 1, y + 9.5, at);
  });
}

function qrCode(doc: Doc, { size, isDark }: Drawing['qr'], x: number, y: number): void {
  const side = QR_SIDE / size;
  for (let row = 0; row < size; row += 1) {
    for (let column = 0; column < size; column += 1) {
      // A hair larger than its place: no viewer draws gaps between neighbours.
      if (isDark(row, column)) doc.rect(x + column * side, y + row * side, side + 0.05, side + 0.05);
    }
  }
  doc.fill('#000000');
}

function steps(doc: Doc, { words, origin }: Drawing, top: number): void {
  const left = MARGIN + QR_SIDE + 14;
  const width = SLIP.width - MARGIN - left;
  const address = `${new URL(origin).host}/aktivasi`;
  const texts = [words('steps.open'), words('steps.type'), words('steps.password'), words('steps.login')];
  let y = top;
  texts.forEach((text, index) => {
    doc
      .font('bold')
      .fontSize(9.5)
      .fillColor(COLOURS.brand)
      .text(String(index + 1), left, y, { lineBreak: false });
    doc
      .font('regular')
      .fillColor(COLOURS.ink)
      .text(text, left + 12, y, { width: width - 12 });
    ({ y } = doc);
    if (index === 0) {
      doc
        .font('strong')
        .fontSize(address.length > 26 ? 8.5 : 9.5)
        .text(address, left + 12, y, { width: width - 12 });
      ({ y } = doc);
    }
    y += 3;
  });
}

function slip(doc: Doc, printed: PrintedSlip, drawing: Drawing): void {
  const { words, date, sender, institution } = drawing;
  band(doc, words('brand'));
  doc.font('strong').fontSize(9.5).fillColor(COLOURS.quiet);
  doc.text(words('title'), MARGIN, BAND + 20, { width: INNER });
  doc.font('bold');
  const size = fitted(doc, printed.name, { sizes: [16, 14, 12, 10.5], lines: 2 });
  doc
    .fontSize(size)
    .fillColor(COLOURS.ink)
    .text(printed.name, MARGIN, doc.y + 1, { width: INNER, lineGap: -1 });
  doc.font('regular').fontSize(10).fillColor(COLOURS.ink);
  doc.text(words('nip', { ending: printed.nipEnding }), MARGIN, doc.y + 2, { width: INNER });
  doc.fontSize(10).fillColor(COLOURS.quiet);
  const codeTop = 176;
  const room = codeTop - 20 - doc.y;
  doc.text(printed.agency, MARGIN, doc.y, { width: INNER, height: room, ellipsis: true });

  doc
    .font('strong')
    .fontSize(9.5)
    .fillColor(COLOURS.quiet)
    .text(words('code'), MARGIN, codeTop - 16, { lineBreak: false });
  code(doc, printed.code, codeTop);
  doc.font('regular').fontSize(10).fillColor(COLOURS.ink);
  doc.text(words('until', { date: date(printed.expiresAt) }), MARGIN, codeTop + 46, { width: INNER });

  const stepsTop = codeTop + 72;
  qrCode(doc, drawing.qr, MARGIN, stepsTop);
  steps(doc, drawing, stepsTop - 2);

  const footTop = SLIP.height - 62;
  doc
    .moveTo(MARGIN, footTop)
    .lineTo(SLIP.width - MARGIN, footTop)
    .lineWidth(0.6)
    .stroke(COLOURS.line);
  doc.font('regular').fontSize(8.5).fillColor(COLOURS.quiet);
  doc.text(words('keep'), MARGIN, footTop + 6, { width: INNER });
  doc.text(
    sender === undefined ? words('fromNational', { institution }) : words('from', { sender, institution }),
    MARGIN,
    doc.y + 2,
    { width: INNER, height: 22, ellipsis: true },
  );
}

/** Where the sheet is cut. */
function cuts(doc: Doc): void {
  doc.lineWidth(0.5).dash(3, { space: 3 });
  doc.moveTo(SLIP.width, 0).lineTo(SLIP.width, PAGE.height);
  doc.moveTo(0, SLIP.height).lineTo(PAGE.width, SLIP.height);
  doc.stroke(COLOURS.line).undash();
}

export function createSlipSheet(options: SheetOptions): SlipSheet {
  const { data, size } = QRCode.create(`${options.origin}/aktivasi`, { errorCorrectionLevel: 'M' }).modules;
  const qr = { size, isDark: (row: number, column: number): boolean => data[row * size + column] === 1 };

  return {
    async print(slips, { sender, now }) {
      const drawing: Drawing = { ...options, sender, qr };
      const doc = new PDFDocument({
        size: 'A4',
        margin: 0,
        autoFirstPage: false,
        lang: 'id',
        displayTitle: true,
        info: { Title: options.words('title'), Author: sender ?? options.institution, CreationDate: now },
      });
      for (const [name, file] of Object.entries(FONTS)) doc.registerFont(name, file);
      const chunks: Buffer[] = [];
      const written = new Promise<Buffer>((resolve, reject) => {
        doc.on('data', (chunk: Buffer) => chunks.push(chunk));
        doc.on('end', () => {
          resolve(Buffer.concat(chunks));
        });
        doc.on('error', reject);
      });
      for (const [index, printed] of slips.entries()) {
        const place = index % 4;
        if (place === 0) {
          doc.addPage();
          cuts(doc);
          // A page takes some milliseconds: others have their turn between two.
          await breathe();
        }
        doc.save().translate((place % 2) * SLIP.width, Math.floor(place / 2) * SLIP.height);
        slip(doc, printed, drawing);
        doc.restore();
      }
      doc.end();
      return written;
    },
  };
}
