/** INFO from all shards → one INFO, by Envoy's table (mesh page, 2.7). What is not in the table is dropped. */
import { encodeBulk, encodeError } from '../resp/encode.js';

/**
 * Metrics in output order, by section. F first non-empty value, S sum, M maximum, H human form of the total it is named after,
 * C constant. S and M are always written, 0 if absent.
 */
const TABLE: readonly (readonly [section: string, metrics: readonly string[]])[] = [
  [
    'Server',
    [
      'F redis_version redis_git_sha1 redis_git_dirty redis_build_id',
      'C redis_mode=cluster',
      'F os arch_bits monotonic_clock gcc_version multiplexing_api atomicvar_api process_supervised run_id',
      'F server_time_usec',
      'M uptime_in_seconds uptime_in_days',
      'F hz configured_hz lru_clock executable config_file',
      'M io_threads_active',
    ],
  ],
  [
    'Clients',
    [
      'S connected_clients cluster_connections',
      'F maxclients',
      'M client_recent_max_input_buffer client_recent_max_output_buffer',
      'S blocked_clients tracking_clients pubsub_clients watching_clients clients_in_timeout_table',
      'S total_watched_keys total_blocking_keys total_blocking_keys_on_nokey',
    ],
  ],
  [
    'Memory',
    [
      'S used_memory',
      'H used_memory_human',
      'S used_memory_rss',
      'H used_memory_rss_human',
      'M used_memory_peak',
      'H used_memory_peak_human',
      'F used_memory_peak_time',
      'S used_memory_overhead used_memory_startup used_memory_dataset total_system_memory',
      'H total_system_memory_human',
      'S used_memory_lua used_memory_vm_eval',
      'H used_memory_lua_human',
      'S used_memory_scripts_eval number_of_cached_scripts number_of_functions number_of_libraries',
      'S used_memory_vm_functions used_memory_vm_total',
      'H used_memory_vm_total_human',
      'S used_memory_functions used_memory_scripts',
      'H used_memory_scripts_human',
      'S maxmemory',
      'H maxmemory_human',
      'F maxmemory_policy',
      'S mem_fragmentation_bytes allocator_frag_bytes allocator_rss_bytes rss_overhead_bytes',
      'S allocator_allocated allocator_active allocator_resident allocator_muzzy mem_not_counted_for_evict',
      'S mem_clients_slaves mem_clients_normal mem_cluster_links mem_cluster_slot_migration_output_buffer',
      'S mem_cluster_slot_migration_input_buffer',
      'M mem_cluster_slot_migration_input_buffer_peak',
      'S mem_aof_buffer mem_replication_backlog mem_total_replication_buffers',
      'F mem_allocator',
      'S mem_overhead_db_hashtable_rehashing',
      'M active_defrag_running',
      'S lazyfree_pending_objects lazyfreed_objects',
    ],
  ],
  [
    'Stats',
    [
      'S total_connections_received total_commands_processed instantaneous_ops_per_sec total_net_input_bytes',
      'S total_net_output_bytes total_net_repl_input_bytes total_net_repl_output_bytes instantaneous_input_kbps',
      'S instantaneous_output_kbps instantaneous_input_repl_kbps instantaneous_output_repl_kbps',
      'S rejected_connections sync_full sync_partial_ok sync_partial_err expired_subkeys expired_keys',
      'M expired_stale_perc',
      'S expired_time_cap_reached_count expire_cycle_cpu_milliseconds evicted_keys evicted_clients',
      'S evicted_scripts total_eviction_exceeded_time',
      'M current_eviction_exceeded_time',
      'S keyspace_hits keyspace_misses pubsub_channels pubsub_patterns pubsubshard_channels',
      'M latest_fork_usec',
      'S total_forks migrate_cached_sockets slave_expires_tracked_keys active_defrag_hits active_defrag_misses',
      'S active_defrag_key_hits active_defrag_key_misses total_active_defrag_time',
      'M current_active_defrag_time',
      'S tracking_total_keys tracking_total_items tracking_total_prefixes unexpected_error_replies',
      'S total_error_replies dump_payload_sanitizations total_reads_processed total_writes_processed',
      'S io_threaded_reads_processed io_threaded_writes_processed client_query_buffer_limit_disconnections',
      'S client_output_buffer_limit_disconnections reply_buffer_shrinks reply_buffer_expands eventloop_cycles',
      'S eventloop_duration_sum eventloop_duration_cmd_sum instantaneous_eventloop_cycles_per_sec',
      'M instantaneous_eventloop_duration_usec',
      'S acl_access_denied_auth acl_access_denied_cmd acl_access_denied_key acl_access_denied_channel',
    ],
  ],
  [
    'CPU',
    [
      'S used_cpu_sys used_cpu_user used_cpu_sys_children used_cpu_user_children used_cpu_sys_main_thread',
      'S used_cpu_user_main_thread',
    ],
  ],

  ['Cluster', ['C cluster_enabled=1']],
];

/** The merged reply; `section` is INFO's argument. A shard's text is null where its reply was none. */
export function mergeInfo(texts: readonly (Buffer | null)[], section: string | null): Buffer {
  if (texts.some((text) => text === null))
    return encodeError('unexpected response type received from shard');
  const shards = texts.map((text) => parseInfo(text?.toString() ?? '', section));
  const blocks: string[] = [];
  for (const [name, rules] of TABLE) {
    if (!isWanted(name, section)) continue;
    const lines = rules.flatMap((rule) => linesOf(rule, shards));
    if (lines.length > 0) blocks.push([`# ${name}`, ...lines, ''].join('\r\n'));
  }
  const keyspace = isWanted('Keyspace', section) ? mergeKeyspace(shards) : null;
  if (keyspace !== null) blocks.push(`# Keyspace\r\n${keyspace}\r\n`);
  return encodeBulk(blocks.join('\r\n'));
}

function isWanted(name: string, section: string | null): boolean {
  return section === null || name.toLowerCase() === section.toLowerCase();
}

type Metrics = ReadonlyMap<string, string>;

/** The metrics of one shard; with a section, only those that stand under its heading. */
function parseInfo(text: string, section: string | null): Metrics {
  const metrics = new Map<string, string>();
  let heading = '';
  for (const raw of text.split('\n')) {
    const line = raw.trim();
    if (line.startsWith('# ')) heading = line.slice(2);
    const colon = line.indexOf(':');
    if (colon > 0 && !line.startsWith('#') && isWanted(heading, section)) {
      metrics.set(line.slice(0, colon), line.slice(colon + 1));
    }
  }
  return metrics;
}

function linesOf(rule: string, shards: readonly Metrics[]): string[] {
  const [kind, ...names] = rule.split(' ');
  return names.flatMap((name) => {
    const value = metricLine(kind ?? '', name, shards);
    return value === null ? [] : [value];
  });
}

function metricLine(kind: string, name: string, shards: readonly Metrics[]): string | null {
  switch (kind) {
    case 'C':
      return name.replace('=', ':');
    case 'F': {
      const first = shards.map((shard) => shard.get(name)).find((value) => value);
      return first === undefined ? null : `${name}:${first}`;
    }
    case 'H': {
      const source = name.replace(/_human$/, '');
      const total = source === 'used_memory_peak' ? maximum(source, shards) : sum(source, shards);
      return total === 0n ? null : `${name}:${human(total)}`;
    }
    default:
      return `${name}:${kind === 'M' ? maximum(name, shards) : sum(name, shards)}`;
  }
}

/** Whole 64-bit numbers count; anything else, such as 0.12, is passed over. */
function whole(text: string | undefined): bigint | null {
  return text !== undefined && /^-?\d{1,19}$/.test(text) ? BigInt(text) : null;
}

function sum(name: string, shards: readonly Metrics[]): bigint {
  return shards.reduce((total, shard) => total + (whole(shard.get(name)) ?? 0n), 0n);
}

function maximum(name: string, shards: readonly Metrics[]): bigint {
  return shards.reduce((max, shard) => {
    const value = whole(shard.get(name)) ?? 0n;
    return value > max ? value : max;
  }, 0n);
}

/** `1.50M`: powers of 1024, two decimals; plain bytes below 1 KiB and, as in Envoy, from 1024 PiB on. */
function human(bytes: bigint): string {
  let value = Number(bytes);
  if (value < 1024) return `${bytes}B`;
  for (const unit of ['K', 'M', 'G', 'T', 'P']) {
    value /= 1024;
    if (value < 1024) return `${value.toFixed(2)}${unit}`;
  }
  return `${bytes}B`;
}

/** db0 of all shards. avg_ttl is folded as Envoy folds it: (current + accumulated) / 2, from 0. */
function mergeKeyspace(shards: readonly Metrics[]): string | null {
  let found = false;
  let keys = 0n;
  let expires = 0n;
  let ttl = 0n;
  for (const shard of shards) {
    const fields = shard.get('db0');
    if (fields === undefined) continue;
    found = true;
    const field = (name: string): bigint =>
      whole(new RegExp(`(?:^|,)${name}=([^,]*)`).exec(fields)?.[1]) ?? 0n;
    keys += field('keys');
    expires += field('expires');
    ttl = (field('avg_ttl') + ttl) / 2n;
  }
  return found ? `db0:keys=${keys},expires=${expires},avg_ttl=${ttl}` : null;
}
