import { attribute } from '../../support/person.js';
import { uidOf, type Station } from './stations.js';

export interface Input {
  readonly name: string;
  /** Never shown again once typed. */
  readonly isSecret: boolean;
}

/** A form as it stands on a page somebody is on. */
export interface Form extends Station {
  readonly path: string;
  readonly hidden: Readonly<Record<string, string>>;
  readonly inputs: readonly Input[];
  /** By its other button: shows the page again with what was typed, whatever that is. */
  readonly showsAgain?: true;
}

/** The path of a form as it stands in the route table. */
export const routeOf = ({ path, page }: Form): string =>
  path
    .replace(uidOf(page), ':uid')
    .replace(/^(\/(?:bukan-saya|alamat-baru))\/[\w-]+/, '$1/:token')
    .replace(/^\/device\/[\w-]{10,}\//, '/device/:uid/')
    .replace(/(\/reset\/mfa\/stop)\/\w+$/, '$1/:token');

/** A user code is typed from another screen, and shown again to be compared with it. */
const SECRET_NAME = /otp|(?<!user_)code|captcha|password/;

/** All forms of a page that are posted, by a person or by its script. */
export function formsOn(station: Station): Form[] {
  const found = station.page.body.match(/<form[\s\S]*?<\/form>/g) ?? [];
  return found
    .filter((form) => attribute(form, 'method') === 'post')
    .flatMap((form) => {
      const hidden: Record<string, string> = {};
      const inputs: Input[] = [];
      for (const [tag] of form.matchAll(/<input[^>]*>/g)) {
        const name = attribute(tag, 'name') ?? '';
        const type = attribute(tag, 'type');
        if (type === 'hidden') hidden[name] = attribute(tag, 'value') ?? '';
        else inputs.push({ name, isSecret: type === 'password' || SECRET_NAME.test(name) });
      }
      const posted = { ...station, path: attribute(form, 'action') ?? '', hidden, inputs };
      const other = attribute(form, 'formaction');
      if (other !== undefined) return [posted, { ...posted, path: other, showsAgain: true as const }];
      if (attribute(form, 'data-passkey') === undefined) return [posted];
      // Before it sends the form, the script asks for a challenge with the form's token.
      const { csrf = '' } = hidden;
      return [posted, { ...station, path: `${posted.path}/challenge`, hidden: { csrf }, inputs: [] }];
    });
}

/** What somebody types who knows nothing but means well. */
const PLAUSIBLE: Readonly<Record<string, string>> = {
  username: '199001012015011009',
  email: 'seseorang@contoh.example',
  otp: '000000',
  code: '00000-00000',
  slip: '0000-0000-0000-0000',
  user_code: 'BBBB-BBBB',
  recovery_code: '00000-00000-00000',
  device_name: 'Ponsel',
};

export const plausible = ({ name }: Input): string => PLAUSIBLE[name] ?? 'tidak-tahu';

/** The body of a form, some of its inputs as given, percent-encoded, the rest plausible. */
export function bodyOf(form: Form, given: Readonly<Record<string, string>> = {}): string {
  const hidden = Object.entries(form.hidden).map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
  const typed = form.inputs.map(
    (input) => `${input.name}=${given[input.name] ?? encodeURIComponent(plausible(input))}`,
  );
  return [...hidden, ...typed].join('&');
}
