import { create } from 'svg-captcha';

type Point = readonly [x: number, y: number];

/** Glyphs are drawn in the middle of a square of this size. */
export const GLYPH_SIZE = 100;

/** The end points of a contour's segments: near enough to its shape to tell what lies inside. */
const corners = (contour: string): Point[] =>
  [...contour.matchAll(/(-?[\d.]+) (-?[\d.]+)(?=[A-Z]|$)/g)].map(([, x, y]) => [Number(x), Number(y)]);

/** Even-odd rule: a ray to the left crosses the outline an odd number of times. */
function isInside([x, y]: Point, outline: readonly Point[]): boolean {
  const crossed = outline.filter(([x2, y2], index) => {
    const [x1, y1] = outline.at(index - 1) ?? [x2, y2];
    return y1 > y !== y2 > y && x < ((x2 - x1) * (y - y1)) / (y2 - y1) + x1;
  });
  return crossed.length % 2 === 1;
}

/** By most of its corners: svg-captcha moves each at random, and one that nearly touches a line may cross it. */
const liesInside = (shape: readonly Point[], outline: readonly Point[]): boolean =>
  shape.filter((corner) => isInside(corner, outline)).length * 2 > shape.length;

/**
 * The font that comes with svg-captcha draws hollow letters with a shadow, hard to read with weak eyes. From its
 * nested contours (0 rim and shadow, 1 face, 2 rim of the holes, 3 holes) this keeps 1 and 2: the letter, solid.
 */
function solid(path: string): string {
  const contours = path.split('Z').filter((contour) => contour !== '');
  const shapes = contours.map(corners);
  const kept = contours.filter((_, index) => {
    const shape = shapes[index] ?? [];
    const depth = shapes.filter((outline, other) => other !== index && liesInside(shape, outline)).length;
    return depth === 1 || depth === 2;
  });
  return kept.length === 0 ? path : kept.map((contour) => `${contour}Z`).join('');
}

const SETTINGS = { size: 1, noise: 0, width: GLYPH_SIZE, height: GLYPH_SIZE, fontSize: GLYPH_SIZE };
const known = new Map<string, string>();

/** The path data of one character, for `fill-rule="evenodd"`; empty where the font has none. */
export function glyph(character: string): string {
  let path = known.get(character);
  if (path === undefined) {
    // The package's types name a class that it does not have.
    // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment
    const { data } = create({ ...SETTINGS, charPreset: character });
    path = solid(/ d="([^"]*)"/.exec(data)?.[1] ?? '');
    known.set(character, path);
  }
  return path;
}
