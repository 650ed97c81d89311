import type { PageWriter } from '../../../web/page.js';
import type { Route } from '../../../web/route-table.js';

/** Where the console begins. */
export function homeRoutes({ write }: { write: PageWriter }): Route[] {
  return [
    {
      method: 'GET',
      path: '/helpdesk',
      access: 'officer',
      handle(ctx, officer) {
        write(ctx, 'helpdesk/home', {}, { officer });
      },
    },
  ];
}
