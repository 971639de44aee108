// The application: carts in Redis, behind the mesh.
import { Redis } from 'ioredis';

/** The carts at `url`. */
export function openCarts(url) {
  const redis = new Redis(url);
  return {
    /** Puts `count` of an article into a cart; gives how many there are now. */
    add: (cart, article, count) => redis.hincrby(`cart:${cart}`, article, count),
    /** The articles of a cart and how many of each. */
    items: (cart) => redis.hgetall(`cart:${cart}`),
    /** What an article costs, in cents; null where it is not sold. */
    async price(article) {
      const price = await redis.get(`price:${article}`);
      return price === null ? null : Number(price);
    },
    async total(cart) {
      let total = 0;
      for (const [article, count] of Object.entries(await this.items(cart)))
        total += Number(count) * ((await this.price(article)) ?? 0);
      return total;
    },
    close: () => redis.disconnect(),
  };
}
