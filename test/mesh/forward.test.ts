import assert from 'node:assert/strict';
import test from 'node:test';
import { forwardText, portForward } from '../../src/mesh/forward.js';

test('the way to a service and to a pod is read off the name', () => {
  assert.deepEqual(portForward('cart-cache.shop.svc.cluster.local:6379', 63790), {
    command: 'kubectl -n shop port-forward svc/cart-cache 63790:6379',
    map: '--map cart-cache.shop.svc.cluster.local:6379=127.0.0.1:63790',
  });
  assert.equal(
    portForward('redis-0.redis.shop.svc.cluster.local.:7000', 1)?.command,
    'kubectl -n shop port-forward pod/redis-0 1:7000',
  );
  assert.equal(
    portForward('Cart.Shop.svc:6379', 1)?.command,
    'kubectl -n shop port-forward svc/cart 1:6379',
  );
});

test('of what is no name of a service nothing can be read', () => {
  for (const address of ['10.1.2.3:6379', 'redis:6379', 'a.b.c.d.svc:1', 'redis', 'a;rm.b.svc:1'])
    assert.equal(portForward(address, 1), null, address);
});

test('both steps in a line, for a message', () => {
  assert.equal(
    forwardText('redis-0.redis.shop.svc.cluster.local:6379'),
    'kubectl -n shop port-forward pod/redis-0 63790:6379, and --map redis-0.redis.shop.svc.cluster.local:6379=127.0.0.1:63790',
  );
  assert.equal(forwardText('10.1.2.3:6379'), null);
});
