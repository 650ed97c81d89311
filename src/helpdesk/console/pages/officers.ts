import type { Officer, Officers } from '../../../web/officer.js';
import type { PageWriter } from '../../../web/page.js';
import type { People } from '../../../web/person.js';
import type { PageContext } from '../../../web/request.js';
import { visitorOf } from '../../../web/visitor.js';
import type { Acts } from '../../acts/acts.js';
import type { Console } from '../console.js';
import { tabsOf } from '../tabs.js';

/** Who is on duty: somebody logged in on the console, with the roles they hold at this moment. */
export function consoleOfficers(parts: {
  people: People;
  console: Console;
  acts: Pick<Acts, 'countToDecide'>;
  isAdmin: (ctx: PageContext) => boolean;
  write: PageWriter;
}): Officers {
  const { people, console, acts, isAdmin, write } = parts;
  return {
    ...people,
    isServedAt: isAdmin,
    async admit(ctx, { id, name, sessionUid }): Promise<Officer | undefined> {
      const opened = await console.open(id, visitorOf(ctx));
      if (opened.kind === 'shut') {
        write(ctx, 'helpdesk/no-role', { restsUntil: opened.restsUntil }, { status: 403 });
        return undefined;
      }
      const { roles } = opened;
      const office = roles.find(({ agency }) => agency !== undefined)?.agency?.name;
      const tabs = tabsOf(roles);
      const toDecide = tabs.some((tab) => tab.name === 'approvals') ? await acts.countToDecide(id) : 0;
      return {
        id,
        name,
        sessionUid,
        office,
        roles,
        tabs: tabs.map((tab) => (tab.name === 'approvals' ? { ...tab, count: toDecide } : tab)),
      };
    },
  };
}
