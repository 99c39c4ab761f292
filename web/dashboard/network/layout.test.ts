import { describe, expect, it } from 'vitest';
import { homeRadius, mapLayout, neighbourRadius, placesOf, ringsOf } from './layout.ts';

describe('the map of groups', () => {
  it('has self in the middle and nobody on top of another, from 1 peer to 48', () => {
    for (let peers = 1; peers <= 48; peers++) {
      for (const { y } of placesOf(Math.min(peers, 13), homeRadius, true).slice(1)) expect(Math.abs(y)).toBeGreaterThan(15);
      const places = placesOf(peers, homeRadius);
      expect(places).toHaveLength(peers);
      expect(places[0]).toEqual({ x: 0, y: 0 });
      for (const [i, a] of places.entries()) {
        expect(Math.hypot(a.x, a.y)).toBeLessThan(homeRadius);
        for (const b of places.slice(i + 1)) expect(Math.hypot(a.x - b.x, a.y - b.y)).toBeGreaterThan(25);
      }
    }
  });

  it('keeps the members of a neighbour apart and inside, from 1 to 24', () => {
    for (let peers = 1; peers <= 24; peers++) {
      const places = ringsOf(peers, neighbourRadius);
      expect(places).toHaveLength(peers);
      for (const [i, a] of places.entries()) {
        expect(Math.hypot(a.x, a.y)).toBeLessThan(neighbourRadius - 12);
        for (const b of places.slice(i + 1)) expect(Math.hypot(a.x - b.x, a.y - b.y)).toBeGreaterThan(16);
      }
    }
  });

  it('keeps groups apart and in the picture, from no neighbour to 6', () => {
    for (let neighbours = 0; neighbours <= 6; neighbours++) {
      const { circles, box } = mapLayout(neighbours);
      expect(circles).toHaveLength(neighbours);
      for (const [i, a] of circles.entries()) {
        expect(Math.hypot(a.x, a.y)).toBeGreaterThan(homeRadius + a.radius + 14);
        expect(a.x - a.radius).toBeGreaterThanOrEqual(box.x);
        expect(a.x + a.radius).toBeLessThanOrEqual(box.x + box.width);
        // Its name stands above it.
        expect(a.y - a.radius - 20).toBeGreaterThanOrEqual(box.y);
        expect(a.y + a.radius).toBeLessThanOrEqual(box.y + box.height);
        for (const b of circles.slice(i + 1)) expect(Math.hypot(a.x - b.x, a.y - b.y)).toBeGreaterThan(2 * neighbourRadius + 20);
      }
    }
  });
});
