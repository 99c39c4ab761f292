// Pages by path over the History API: deep links, the back button, and focus on the new page's heading.
import { useEffect, useRef, useSyncExternalStore, type AnchorHTMLAttributes, type MouseEvent } from 'react';

export type Route =
  | { readonly page: 'donate' | 'jobs' | 'new-job' | 'samples' | 'examples' | 'usage' | 'network' | 'data' | 'settings' | 'not-found' }
  | { readonly page: 'job' | 'object'; readonly id: string };

export function routeOf(path: string): Route {
  const parts = path.split('/').filter((part) => part !== '');
  if (parts.length === 0) return { page: 'donate' };
  if (parts[0] === 'network' && parts.length === 1) return { page: 'network' };
  if (parts[0] === 'usage' && parts.length === 1) return { page: 'usage' };
  if (parts[0] === 'samples' && parts.length === 1) return { page: 'samples' };
  if (parts[0] === 'examples' && parts.length === 1) return { page: 'examples' };
  if (parts[0] === 'settings' && parts.length === 1) return { page: 'settings' };
  if (parts[0] === 'data' && parts.length <= 2) return parts.length === 1 ? { page: 'data' } : { page: 'object', id: parts[1]! };
  if (parts[0] !== 'jobs' || parts.length > 2) return { page: 'not-found' };
  if (parts.length === 1) return { page: 'jobs' };
  return parts[1] === 'new' ? { page: 'new-job' } : { page: 'job', id: parts[1]! };
}

const listeners = new Set<() => void>();
/** The last navigation within the page, and whether its heading has not had the focus yet. */
const navigated = { to: '', fresh: false };
const changed = () => {
  navigated.to = location.pathname;
  navigated.fresh = true;
  for (const listener of listeners) listener();
};

function subscribe(listener: () => void): () => void {
  if (listeners.size === 0) globalThis.addEventListener('popstate', changed);
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) globalThis.removeEventListener('popstate', changed);
  };
}

export const usePath = () => useSyncExternalStore(subscribe, () => location.pathname);

export function navigate(path: string, how: 'push' | 'replace' = 'push'): void {
  if (path === location.pathname) return;
  if (how === 'push') history.pushState(null, '', path);
  else history.replaceState(null, '', path);
  globalThis.scrollTo(0, 0);
  changed();
}

/** A link within the site. Modified clicks stay the browser's: a new tab is a new peer. */
export function Link({ to, onClick, ...rest }: { to: string } & Omit<AnchorHTMLAttributes<HTMLAnchorElement>, 'href'>) {
  const follow = (event: MouseEvent<HTMLAnchorElement>) => {
    onClick?.(event);
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    navigate(to);
  };
  return <a href={to} onClick={follow} {...rest} />;
}

/**
 * A page's heading. It takes the focus when the page was navigated to, so that a screen reader says where one is; the page that was
 * loaded leaves the focus where the browser put it.
 */
export function Heading({ children, title }: { children: string; title?: string }) {
  const ref = useRef<HTMLHeadingElement>(null);
  const path = usePath();
  useEffect(() => {
    if (navigated.to !== path) return;
    // A page that was loading has another heading than the same page loaded: the focus follows unless somebody moved it.
    if (navigated.fresh || document.activeElement === document.body) ref.current?.focus({ preventScroll: true });
    navigated.fresh = false;
  }, [path]);
  useEffect(() => {
    document.title = `${title ?? children} · Lull`;
  }, [title, children]);
  return (
    <h1 ref={ref} tabIndex={-1}>
      {children}
    </h1>
  );
}
