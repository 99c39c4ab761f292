import { describe, expect, it } from 'vitest';
import { makePeerId, type PeerId } from '../../lib/ids.ts';
import { groupPeersMax, linkFillEveryMs, linksMin } from '../../limits.ts';
import { testSigner } from '../../testing/test-crypto.ts';
import { comerFirstMs, hearsayFailuresMax, LinkPlan, linksMax, otherSideAfterMs, redialFirstMs, redialMaxMs } from './link-plan.ts';

const peers = Array.from({ length: 150 }, (_, i) => makePeerId(testSigner(`peer ${i}`).identity, new Uint8Array(8))).toSorted() as PeerId[];
const [lowest, highest] = [peers[0]!, peers.at(-1)!];
const middle = peers.slice(1, 11);

describe('the plan of links', () => {
  it('has a newcomer dial as many as it needs at once, and the next at once for each that fails', () => {
    const plan = new LinkPlan(highest);
    plan.welcomed(middle, 0);
    const first = plan.next(0);
    expect(first).toHaveLength(linksMin);
    expect(plan.next(0)).toEqual([]);
    plan.failed(first[0]!, 10);
    const [next, ...none] = plan.next(10);
    expect(none).toEqual([]);
    expect(first).not.toContain(next);
  });

  it('fills the rest one a time, from the lower id, and from the higher where that has not worked for long', () => {
    const low = new LinkPlan(lowest);
    const high = new LinkPlan(highest);
    for (const plan of [low, high]) {
      plan.links(new Set(middle.slice(0, linksMin)));
      for (const peer of middle) plan.joined(peer, 0);
    }
    expect(low.next(comerFirstMs - 1)).toEqual([]);
    expect(low.next(comerFirstMs)).toHaveLength(1);
    expect(low.next(comerFirstMs + linkFillEveryMs)).toEqual([]);
    expect(high.next(comerFirstMs + linkFillEveryMs)).toEqual([]);
    expect(high.next(otherSideAfterMs)).toHaveLength(1);
  });

  it('who lacks links dials a newcomer only when that has not come by itself', () => {
    const plan = new LinkPlan(highest);
    plan.joined(middle[0]!, 0);
    plan.heardOf(middle[1]!, 0);
    expect(plan.next(2 * linkFillEveryMs)).toEqual([middle[1]]);
    expect(plan.next(comerFirstMs - 1)).toEqual([]);
    expect(plan.next(comerFirstMs)).toEqual([middle[0]]);
  });

  it('leaves one that fails alone for longer each time, never for longer than its bound', () => {
    const plan = new LinkPlan(lowest);
    const [peer] = middle as [PeerId];
    plan.welcomed([peer], 0);
    let now = 0;
    const waits: number[] = [];
    for (let i = 0; i < 8; i++) {
      expect(plan.next(now)).toEqual([peer]);
      plan.failed(peer, now);
      const from = now;
      while (plan.next(now).length === 0) now += 100;
      waits.push(now - from);
      plan.dialled(peer);
      now += linkFillEveryMs;
    }
    expect(waits[0]).toBe(redialFirstMs);
    expect(Math.max(...waits)).toBe(redialMaxMs);
    expect(waits).toEqual(waits.toSorted((a, b) => a - b));
  });

  it('gives up whom only hearsay named, and whom a new welcome does not list', () => {
    const plan = new LinkPlan(lowest);
    const [ghost, listed] = middle as [PeerId, PeerId];
    plan.heardOf(ghost, 0);
    let now = 0;
    for (let i = 0; i < hearsayFailuresMax; i++) {
      now += redialMaxMs;
      expect(plan.next(now)).toEqual([ghost]);
      plan.failed(ghost, now);
    }
    expect(plan.next(now + 10 * redialMaxMs)).toEqual([]);
    plan.joined(listed, now);
    plan.welcomed([], now);
    expect(plan.next(now + 10 * redialMaxMs)).toEqual([]);
  });

  it('never has more links than it may', () => {
    const plan = new LinkPlan(lowest);
    plan.links(new Set(peers.slice(20, 20 + linksMax)));
    plan.welcomed(middle, 0);
    expect(plan.next(1_000_000)).toEqual([]);
    expect(linksMax).toBeGreaterThanOrEqual(groupPeersMax - 1);
  });
});
