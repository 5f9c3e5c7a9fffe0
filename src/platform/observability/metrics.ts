import { Injectable } from '@nestjs/common';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

interface MetricOptions<Label extends string> {
  /** Unique in the app, with its unit as suffix (`_seconds`, `_bytes`), `_total` for a counter. */
  name: string;
  help: string;
  /** Each takes few values: never a phone number, an id or an address. */
  labels?: readonly Label[];
}

/** What `/metrics` shows. Features register theirs in their constructors. */
@Injectable()
export class Metrics {
  static readonly contentType = Registry.PROMETHEUS_CONTENT_TYPE;

  // Of the app, not the global one: a process may run several.
  private readonly registry = new Registry();

  counter<Label extends string = never>(options: MetricOptions<Label>): Counter<Label> {
    return new Counter<Label>(this.registered(options));
  }

  /** @param options.collect is called at each scrape, to set the gauge to what it is then. */
  gauge<Label extends string = never>({
    collect,
    ...options
  }: MetricOptions<Label> & { collect?: (gauge: Gauge<Label>) => void | Promise<void> }): Gauge<Label> {
    return new Gauge<Label>({
      ...this.registered(options),
      ...(collect && {
        collect() {
          return collect(this);
        },
      }),
    });
  }

  /** @param options.buckets upper bounds, ascending. */
  histogram<Label extends string = never>({
    buckets,
    ...options
  }: MetricOptions<Label> & { buckets: readonly number[] }): Histogram<Label> {
    return new Histogram<Label>({ ...this.registered(options), buckets: [...buckets] });
  }

  /** All of them, and those of the process, in the text format of Prometheus. */
  async text(): Promise<string> {
    return `${await ofProcess().metrics()}\n${await this.registry.metrics()}`;
  }

  private registered<Label extends string>({ name, help, labels = [] }: MetricOptions<Label>) {
    return { name, help, labelNames: [...labels], registers: [this.registry] };
  }
}

let processRegistry: Registry | undefined;

/** Memory, CPU, event loop, garbage collection: once a process, as what watches them never stops. */
function ofProcess(): Registry {
  if (!processRegistry) collectDefaultMetrics({ register: (processRegistry = new Registry()) });
  return processRegistry;
}
