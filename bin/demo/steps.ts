/** What the demo's application does: each step is one thing it does for a user, as the commands that makes. */
import type { Rng } from 'rmtop';
import type { Batch } from './client.js';

/** Batches of commands, each sent when the one before it has been answered. */
export type Step = (rng: Rng) => readonly Batch[];

const SESSIONS = 300;
const USERS = 200;
const ARTICLES = 40;

/** A key that is known to be a string, for whoever takes it for something else. */
const MISUSED = 'session:0000';
const HOME = 'cache:home:v3';

const id = (rng: Rng, of: number): string => String(rng.below(of));
const session = (rng: Rng): string =>
  `session:${(0x1000 + rng.below(SESSIONS) * 197).toString(16)}`;
const price = (rng: Rng): string => `price:sku:${id(rng, ARTICLES)}`;
const repeat = <T>(count: number, make: (i: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => make(i));

/** Before anything else: prices and stock that the others look up. */
export const openShop: Step = (rng) => [
  [['MSET', ...repeat(ARTICLES, (i) => [`price:sku:${i}`, `${5 + rng.below(95)}.90`]).flat()]],
  [
    ['SET', HOME, '<html>'.padEnd(2400, 'the shop window ')],
    ['SET', MISUSED, 'a string'],
    ...repeat(ARTICLES, (i) => ['SET', `stock:{${i}}:left`, '500']),
  ],
];

/** A session that ends by itself. */
export const logIn: Step = (rng) => [
  [['SET', session(rng), JSON.stringify({ user: rng.below(USERS), lang: 'en' }), 'EX', '1800']],
];

/** Looks a session up, and keeps it for another half hour. */
export const visit: Step = (rng) => {
  const key = session(rng);
  return [[['GET', key]], [['EXPIRE', key, '1800']]];
};

/** The one key that everybody reads. */
export const readHome: Step = () => [[['GET', HOME]]];

/** Replaces the hot key's value, 2.4 kB of it. */
export const renderHome: Step = (rng) => [
  [['SET', HOME, `<html>${rng.below(1000)}`.padEnd(2400, 'the shop window '), 'EX', '300']],
];

/** One slot by its hash tag. */
export const showCart: Step = (rng) => {
  const user = id(rng, USERS);
  return [
    [['MGET', `cart:{${user}}:total`, `cart:{${user}}:coupon`]],
    [['HGETALL', `cart:{${user}}:items`]],
  ];
};

/** Puts an article into the cart and adds its price to the total. */
export const fillCart: Step = (rng) => {
  const user = id(rng, USERS);
  return [
    [['HSET', `cart:{${user}}:items`, `sku:${id(rng, ARTICLES)}`, String(1 + rng.below(3))]],
    [
      ['INCRBYFLOAT', `cart:{${user}}:total`, `${1 + rng.below(90)}.5`],
      ['EXPIRE', `cart:{${user}}:items`, '86400'],
    ],
  ];
};

/** Counts what an address asks for in a minute. */
export const limitRate: Step = (rng) => {
  const key = `rate:10.0.0.${id(rng, 60)}`;
  return [
    [
      ['INCR', key],
      ['EXPIRE', key, '60'],
    ],
  ];
};

/** Reads a whole hash, often one that is not there. */
export const showProfile: Step = (rng) => [[['HGETALL', `user:${id(rng, USERS)}:profile`]]];

/** Writes two fields of a hash. */
export const saveProfile: Step = (rng) => {
  const user = id(rng, USERS);
  return [[['HSET', `user:${user}:profile`, 'name', `user ${user}`, 'seen', id(rng, 86400)]]];
};

/** Keys of many slots: the mesh splits it into one GET a key. */
export const comparePrices: Step = (rng) => [
  [['MGET', ...repeat(2 + rng.below(4), () => price(rng))]],
];

/** Reads one price. */
export const lookUpPrice: Step = (rng) => [[['GET', price(rng)]]];

/** Sets a user's score on the day's board. */
export const score: Step = (rng) => [
  [['ZADD', 'board:today', id(rng, 10000), `user:${id(rng, USERS)}`]],
];

/** The ten best. */
export const showBoard: Step = () => [[['ZREVRANGE', 'board:today', '0', '9', 'WITHSCORES']]];

/** Adds to a user's feed and keeps its newest 50 entries. */
export const post: Step = (rng) => {
  const feed = `feed:${id(rng, USERS)}`;
  return [
    [
      ['LPUSH', feed, `user ${id(rng, USERS)} bought ${id(rng, ARTICLES)}`],
      ['LTRIM', feed, '0', '49'],
    ],
  ];
};

/** The ten newest entries of a feed. */
export const readFeed: Step = (rng) => [[['LRANGE', `feed:${id(rng, USERS)}`, '0', '9']]];

/** A transaction on one slot. */
export const sell: Step = (rng) => {
  const article = id(rng, ARTICLES);
  return [
    [['MULTI']],
    [['DECR', `stock:{${article}}:left`]],
    [['LPUSH', `stock:{${article}}:log`, `sold to ${id(rng, USERS)}`]],
    [['LTRIM', `stock:{${article}}:log`, '0', '19']],
    [['EXEC']],
  ];
};

/** A pipeline of 16. */
export const countViews: Step = (rng) => [repeat(16, () => ['INCR', `views:${id(rng, 500)}`])];

/** Keys of many slots again: one SET a key. */
export const changePrices: Step = (rng) => [
  [['MSET', ...repeat(3, () => [price(rng), `${5 + rng.below(95)}.90`]).flat()]],
];

/** Deletes keys of two slots: one DEL a key, the counts added up. */
export const clearCarts: Step = (rng) => {
  const user = id(rng, USERS);
  return [[['DEL', `cart:{${user}}:items`, `cart:{${user}}:total`, session(rng)]]];
};

/** Work for whoever waits for it. */
export const queueJob: Step = (rng) => [[['RPUSH', 'jobs:mail', `mail to ${id(rng, USERS)}`]]];

/** The mesh refuses to block, so the worker asks again in a way that it allows. */
export const waitForJob: Step = () => [[['BLPOP', 'jobs:mail', '1']], [['LPOP', 'jobs:mail']]];

/** Nor does the mesh know pub/sub. */
export const listen: Step = () => [
  [
    ['SUBSCRIBE', 'news'],
    ['UNSUBSCRIBE', 'news'],
  ],
];

/** A mistake in the application: a list command on a string. */
export const misuseKey: Step = () => [[['LPUSH', MISUSED, 'oops']]];

/** A field without its value: the node says that words are missing. */
export const forgetValue: Step = (rng) => [[['HSET', `user:${id(rng, USERS)}:profile`, 'name']]];

/** No key at all: the mesh itself says so. */
export const forgetKey: Step = () => [[['GET']]];
