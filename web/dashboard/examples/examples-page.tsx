import { lazy, Suspense } from 'react';
import { Skeleton } from '../pieces/pieces.tsx';
import { Heading, Link } from '../shell/router.tsx';

// Text that few ask for: it comes when it is asked for.
const ExampleList = lazy(() => import('./example-list.tsx').then((module) => ({ default: module.ExampleList })));

/** The SDK by its examples, each with this site's address in it. */
export function ExamplesPage() {
  return (
    <>
      <div className="page-head">
        <div>
          <p className="mute sm">
            <Link to="/jobs">Jobs</Link> /
          </p>
          <Heading title="Examples">Use the network from your own code</Heading>
          <p className="mute">
            Any page, notebook or terminal may import <a href="/sdk.js">sdk.js</a> of this site (<a href="/sdk.d.ts">its types</a>). Each of
            these runs as it stands.
          </p>
        </div>
      </div>
      <Suspense
        fallback={
          <div className="card">
            <Skeleton lines={10} />
          </div>
        }
      >
        <ExampleList />
      </Suspense>
    </>
  );
}
