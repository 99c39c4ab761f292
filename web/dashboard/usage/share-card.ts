// A picture of what was given, to show to others: nothing in it but the sums and the two-word name.
import { duration, plural } from '../view/format.ts';
import type { Given } from './given.ts';

const [width, height] = [1200, 630];

/** A PNG; null where the browser cannot make one. */
export function cardOf(given: Given, name: string, host: string): Promise<Blob | null> {
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext('2d');
  if (context === null) return Promise.resolve(null);
  // Deep sea, whatever the page's own colours are: it is seen elsewhere.
  context.fillStyle = '#0a1417';
  context.fillRect(0, 0, width, height);
  context.fillStyle = '#0e322e';
  context.beginPath();
  context.arc(width - 190, height - 120, 330, 0, Math.PI * 2);
  context.fill();
  context.fillStyle = '#3ad1ba';
  context.beginPath();
  context.arc(width - 190, height - 120, 210, 0, Math.PI * 2);
  context.fill();
  const text = (words: string, x: number, y: number, size: number, weight: number, colour: string) => {
    context.font = `${weight} ${size}px system-ui, sans-serif`;
    context.fillStyle = colour;
    context.fillText(words, x, y);
  };
  text('Lull', 80, 120, 44, 700, '#e8efec');
  const told = given.helped === 0 ? given : given.forOthers;
  text(duration(told.cpuMs), 80, 290, 120, 650, '#e8efec');
  text('of quiet computer time', 80, 350, 40, 400, '#8fa5a0');
  text(
    given.helped === 0
      ? `in ${plural(told.parts, 'part')}`
      : `for ${plural(given.helped, 'job')} of ${plural(given.people, 'person', 'people')}, ${plural(told.parts, 'part')}`,
    80,
    410,
    40,
    400,
    '#8fa5a0',
  );
  text(name, 80, 530, 44, 650, '#3ad1ba');
  text(host, 80, 580, 28, 400, '#8fa5a0');
  return new Promise((resolve) => canvas.toBlob(resolve));
}
