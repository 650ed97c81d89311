import type { Account } from '../accounts/accounts.js';

/** One service on the launcher. */
export interface Service {
  readonly name: string;
  readonly category: string;
  readonly href: string;
  readonly description?: string | undefined;
  /** A fresh second factor is asked there. */
  readonly asksAgain: boolean;
}

/** What the launcher offers to a person. */
interface Offered {
  readonly services: readonly Service[];
  /** Where the console is, for who holds a role. */
  readonly helpdeskHref?: string | undefined;
  /** Where somebody who builds services sees them. */
  readonly developerHref?: string | undefined;
}

/** What a person may use; implemented over the client registry and the roles of the moment. */
export interface Services {
  ofPerson(account: Account): Promise<Offered>;
}

/** The groups in the order their users know. */
const CATEGORIES = ['Seleksi CASN', 'Individu', 'Instansi', 'Layanan Pendukung'];

/** Services by group, filtered by a search text. */
export function grouped(services: readonly Service[], query: string | undefined) {
  const wanted = query?.trim().toLowerCase() ?? '';
  const found = services.filter(({ name, description }) =>
    `${name} ${description ?? ''}`.toLowerCase().includes(wanted),
  );
  const rank = (category: string): number => {
    const index = CATEGORIES.indexOf(category);
    return index === -1 ? CATEGORIES.length : index;
  };
  const categories = [...new Set(found.map(({ category }) => category))].sort((a, b) => rank(a) - rank(b));
  return categories.map((category) => ({
    category,
    services: found.filter((service) => service.category === category),
  }));
}
