import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { DataPage } from './data/data-page.tsx';
import { ObjectPage } from './data/object-page.tsx';
import { DonatePage } from './donate/donate-page.tsx';
import { ExamplesPage } from './examples/examples-page.tsx';
import { JobPage } from './job/job-page.tsx';
import { JobsPage } from './jobs/jobs-page.tsx';
import { NetworkPage } from './network/network-page.tsx';
import { NewJobPage } from './new-job/new-job-page.tsx';
import { DepsContext, type Deps } from './shell/deps.ts';
import { tellWhenDone } from './job/notify.ts';
import { Heading, Link, navigate, routeOf, usePath, type Route } from './shell/router.tsx';
import { SamplesPage } from './samples/samples-page.tsx';
import { InviteQuestion } from './settings/move-dialog.tsx';
import { SettingsPage } from './settings/settings-page.tsx';
import { Shell } from './shell/shell.tsx';
import { TeamQuestion } from './usage/team-question.tsx';
import { UsagePage } from './usage/usage-page.tsx';

export { renderProblem } from './problem.tsx';

/** Draws the pages into `root`. They read `snapshots` and send commands through the rest; none of it has to be ready yet. */
export function mountDashboard(root: HTMLElement, deps: Deps): void {
  tellWhenDone(deps.snapshots, navigate);
  createRoot(root).render(
    <StrictMode>
      <DepsContext value={deps}>
        <Dashboard />
      </DepsContext>
    </StrictMode>,
  );
}

function Dashboard() {
  const route = routeOf(usePath());
  return (
    <Shell route={route}>
      <InviteQuestion />
      <TeamQuestion />
      <Page route={route} />
    </Shell>
  );
}

function Page({ route }: { route: Route }) {
  switch (route.page) {
    case 'donate':
      return <DonatePage />;
    case 'jobs':
      return <JobsPage />;
    case 'new-job':
      return <NewJobPage />;
    case 'usage':
      return <UsagePage />;
    case 'samples':
      return <SamplesPage />;
    case 'examples':
      return <ExamplesPage />;
    case 'job':
      return <JobPage key={route.id} id={route.id} />;
    case 'network':
      return <NetworkPage />;
    case 'data':
      return <DataPage />;
    case 'object':
      return <ObjectPage key={route.id} id={route.id} />;
    case 'settings':
      return <SettingsPage />;
    case 'not-found':
      return (
        <>
          <Heading>There is no such page</Heading>
          <p>
            <Link to="/">Go to the first page</Link>, or to <Link to="/jobs">your jobs</Link>.
          </p>
        </>
      );
  }
}
