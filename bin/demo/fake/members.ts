/** The nodes of the fake cluster, as they tell each other. */

/** One node. */
export type Member = {
  /** 40 hexadecimal digits. */
  readonly id: string;
  readonly port: number;
  readonly role: 'primary' | 'replica';
  /** Index of the shard, and its slots, both ends included; null: a server that is no cluster. */
  readonly shard: number | null;
  readonly slots: readonly [number, number];
};

/** Who answers for `slot`. */
export function ownerOf(slot: number, members: readonly Member[]): Member | undefined {
  return members.find(
    ({ role, slots: [from, to] }) => role === 'primary' && from <= slot && slot <= to,
  );
}

/** The primary of a replica; itself for a primary. */
export function primaryOf(member: Member, members: readonly Member[]): Member {
  return (
    members.find((other) => other.role === 'primary' && other.shard === member.shard) ?? member
  );
}

/** The replicas of a primary. */
export function replicasOf(member: Member, members: readonly Member[]): readonly Member[] {
  return members.filter((other) => other.role === 'replica' && other.shard === member.shard);
}
