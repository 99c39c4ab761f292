import { describe, expect, it } from 'vitest';
import { routeOf } from './router.tsx';

describe('paths', () => {
  it.each([
    ['/', { page: 'donate' }],
    ['/jobs', { page: 'jobs' }],
    ['/jobs/', { page: 'jobs' }],
    ['/jobs/new', { page: 'new-job' }],
    ['/jobs/ab12', { page: 'job', id: 'ab12' }],
    ['/network', { page: 'network' }],
    ['/samples', { page: 'samples' }],
    ['/examples', { page: 'examples' }],
    ['/usage', { page: 'usage' }],
    ['/settings', { page: 'settings' }],
    ['/settings/x', { page: 'not-found' }],
    ['/data', { page: 'data' }],
    ['/data/ab12', { page: 'object', id: 'ab12' }],
    ['/data/ab12/x', { page: 'not-found' }],
    ['/jobs/a/b', { page: 'not-found' }],
    ['/elsewhere', { page: 'not-found' }],
  ])('%s', (path, route) => expect(routeOf(path)).toEqual(route));
});
