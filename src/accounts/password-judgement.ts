import { personalPart, unmetRules, type PasswordRule } from './password-policy.js';
import type { PasswordOwner, PersonalKind } from './personal-words.js';

/** A rule as people read it in the list below the field. */
export type ShownRule = 'length' | 'case' | 'digit' | 'symbol' | 'common' | 'same';

export interface RuleState {
  readonly rule: ShownRule;
  readonly state: 'met' | 'unmet';
  readonly reason?: 'too_long' | PersonalKind;
}

export interface Judgement {
  readonly met: boolean;
  /** Every rule in the order of the page. */
  readonly rules: readonly RuleState[];
}

const SHOWN: readonly (readonly [ShownRule, readonly PasswordRule[]])[] = [
  ['length', ['min_length', 'max_length']],
  ['case', ['upper', 'lower']],
  ['digit', ['digit']],
  ['symbol', ['symbol']],
  ['common', ['common', 'personal']],
];

/** Judges a new password rule by rule; with the old one given, it must differ from it. */
export function judgePassword(password: string, owner: PasswordOwner, old?: string): Judgement {
  const unmet = new Set(unmetRules(password, owner));
  const rules: RuleState[] = SHOWN.map(([rule, parts]) => {
    if (!parts.some((part) => unmet.has(part))) return { rule, state: 'met' };
    const reason = unmet.has('max_length') && rule === 'length' ? 'too_long' : personalReason(rule);
    return reason === undefined ? { rule, state: 'unmet' } : { rule, state: 'unmet', reason };
  });
  if (old !== undefined) {
    const same = password.normalize('NFKC') === old.normalize('NFKC');
    rules.push({ rule: 'same', state: same ? 'unmet' : 'met' });
  }
  return { met: rules.every(({ state }) => state === 'met'), rules };

  function personalReason(rule: ShownRule): PersonalKind | undefined {
    return rule === 'common' && unmet.has('personal') ? personalPart(password, owner) : undefined;
  }
}
