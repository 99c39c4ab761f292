// Names of services: a name is bound to a port in the mapping table; a listener takes that port's messages.
import { failure, success, type Outcome } from './lib/outcome.ts';
import type { Caller, Listener } from './dispatcher.ts';
import type { SecurityManager } from './security-manager.ts';

export const servicesMax = 256;

export interface Registration {
  readonly name: string;
  readonly port: number;
  remove(): void;
}

export class UriManager {
  readonly #portOfName = new Map<string, number>();
  readonly #listenerOfPort = new Map<number, Listener>();
  #nextPort = 1;

  constructor(private readonly security: SecurityManager) {}

  /** Binds a service that asks for `preferred`, or for any unique name. Faults: 'refused', 'conflict', 'overloaded'. */
  register(by: Caller, preferred: string | undefined, listener: Listener): Outcome<Registration> {
    if (this.#portOfName.size >= servicesMax) return failure('overloaded', `This tab already runs ${servicesMax} services.`);
    const approval = this.security.approveRegistration(by, preferred);
    if (!approval.ok) return approval;
    const port = this.#nextPort++;
    const name = preferred ?? `service-${port}`;
    if (!/^[a-z][a-z0-9-]{0,63}$/.test(name)) return failure('malformed', `"${name.slice(0, 64)}" is not a service name.`);
    if (this.#portOfName.has(name)) return failure('conflict', `The name "${name}" is taken.`);
    this.#portOfName.set(name, port);
    this.#listenerOfPort.set(port, listener);
    return success({
      name,
      port,
      remove: () => {
        if (this.#portOfName.get(name) === port) this.#portOfName.delete(name);
        this.#listenerOfPort.delete(port);
      },
    });
  }

  resolve(name: string): Listener | undefined {
    const port = this.#portOfName.get(name);
    return port === undefined ? undefined : this.#listenerOfPort.get(port);
  }

  names(): readonly string[] {
    return [...this.#portOfName.keys()];
  }
}
