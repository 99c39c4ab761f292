import { describe, expect, it } from 'vitest';
import { placesOf } from './layout.ts';

describe('the group circle', () => {
  it('has self in the middle and nobody on top of another, from 1 peer to 48', () => {
    for (let peers = 1; peers <= 48; peers++) {
      const places = placesOf(peers, 190);
      expect(places).toHaveLength(peers);
      expect(places[0]).toEqual({ x: 0, y: 0 });
      for (const [i, a] of places.entries()) {
        expect(Math.hypot(a.x, a.y)).toBeLessThan(190);
        for (const b of places.slice(i + 1)) expect(Math.hypot(a.x - b.x, a.y - b.y)).toBeGreaterThan(25);
      }
    }
  });
});
