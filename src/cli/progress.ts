import type { Clock } from '../kernel/clock.js';
import type { Progress } from '../provisioning/import-file.js';

const BAR_WIDTH = 24;
const MS_BETWEEN_DRAWINGS = 200;
const number = new Intl.NumberFormat('en');

/** A bar on stderr while a long import runs; silent when nobody watches a terminal. */
export interface ProgressBar {
  readonly show: (progress: Progress) => void;
  /** Wipes the bar, so that what is printed next stands alone. */
  readonly end: () => void;
}

export function progressBar(clock: Clock): ProgressBar {
  const startedAt = clock.now().getTime();
  let drawnAt = Number.NEGATIVE_INFINITY;
  let phase: Progress['phase'] | undefined;
  return {
    show(progress) {
      const now = clock.now().getTime();
      if (!process.stderr.isTTY || (progress.phase === phase && now - drawnAt < MS_BETWEEN_DRAWINGS)) return;
      drawnAt = now;
      phase = progress.phase;
      const rowsPerSecond = Math.round((progress.rows * 1000) / Math.max(1, now - startedAt));
      process.stderr.write(`\r\u001b[K${drawn(progress)}, ${number.format(rowsPerSecond)} rows/s`);
    },
    end() {
      if (phase !== undefined) process.stderr.write('\r\u001b[K');
    },
  };
}

function drawn({ phase, done, total, rows }: Progress): string {
  const share = total === 0 ? 1 : Math.min(1, done / total);
  const filled = Math.round(share * BAR_WIDTH);
  const bar = `${'#'.repeat(filled)}${'.'.repeat(BAR_WIDTH - filled)}`;
  return `${phase.padEnd(8)} [${bar}] ${String(Math.floor(share * 100)).padStart(3)} %, ${number.format(rows)} rows`;
}
