// Every sample, in the order in which the gallery shows them.
import { fractal } from './fractal.ts';
import { monteCarlo } from './monte-carlo.ts';
import { penguins } from './penguins.ts';
import type { Sample } from './sample.ts';
import { sweep } from './sweep.ts';
import { weatherTable } from './weather-table.ts';
import { wordCount } from './word-count.ts';

export const gallery: readonly Sample[] = [fractal, wordCount, monteCarlo, sweep, weatherTable, penguins];
