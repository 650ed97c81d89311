import type { AgencyCode } from '../kernel/ids.js';

/** A ministry, province, regency or city, or a unit below one. The code is opaque and case-sensitive. */
export interface Agency {
  readonly code: AgencyCode;
  readonly name: string;
  readonly parentCode: AgencyCode | undefined;
}
