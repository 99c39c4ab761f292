import { describe, expect, it } from 'vitest';
import { remarksOn, type NameSeen } from './task-help.ts';

const seen = (name: string, of: string | null = null): NameSeen => ({ name, from: 0, to: name.length, of });
const said = (names: readonly NameSeen[], declared: readonly string[] = []) =>
  remarksOn(names, new Set(declared)).map(({ severity, message }) => `${severity}: ${message}`);

describe('remarks on code', () => {
  it('tell what the sandbox does not have, unless the code makes it itself', () => {
    expect(said([seen('fetch')])[0]).toMatch(/^warning: There is no network/);
    expect(said([seen('fetch')], ['fetch'])).toEqual([]);
    expect(said([seen('fetch', 'mine'), seen('toString')])).toEqual([]);
  });
  it('tell of randomness that no other run would repeat', () => {
    expect(said([seen('random', 'Math')])[0]).toMatch(/^info: Use task.random\(\)/);
    expect(said([seen('random', 'task')])).toEqual([]);
  });
});
