// A certified OpenID provider for tests: one client, people who are signed in by whoever asks, without a page to click through.
// POST /control sets who that is and what is told of them; GET /control answers the clients it was made with.
import { createServer } from 'node:http';
import { generateKeyPairSync } from 'node:crypto';
import Provider from 'oidc-provider';

const { issuer, client, groupsInToken } = JSON.parse(process.env.OIDC_TOLD);
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
let person = { sub: 'nobody', claims: {} };

const provider = new Provider(issuer, {
  clients: [client],
  jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), kid: 'tests', use: 'sig', alg: 'RS256' }] },
  cookies: { keys: ['of these tests alone'] },
  pkce: { required: () => true },
  claims: { openid: ['sub', 'auth_time'], email: ['email', 'email_verified'], profile: ['name'], groups: ['groups'] },
  scopes: ['openid', 'email', 'profile', 'groups'],
  conformIdTokenClaims: !groupsInToken,
  features: { devInteractions: { enabled: false } },
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  findAccount: async (_, sub) => ({ accountId: sub, claims: async () => ({ sub, ...(sub === person.sub ? person.claims : {}) }) }),
});
provider.proxy = true;
const answer = provider.callback();

async function interact(req, res) {
  const details = await provider.interactionDetails(req, res);
  const grant = new provider.Grant({ accountId: person.sub, clientId: details.params.client_id });
  grant.addOIDCScope('openid email profile groups');
  await provider.interactionFinished(req, res, { login: { accountId: person.sub }, consent: { grantId: await grant.save() } }, { mergeWithLastSubmission: false });
}

async function control(req, res) {
  let told = '';
  for await (const part of req) told += part;
  if (told) person = JSON.parse(told);
  res.end();
}

const server = createServer((req, res) => {
  const path = req.url.split('?')[0];
  const way = path === '/control' ? control : path.startsWith('/interaction/') ? interact : answer;
  Promise.resolve(way(req, res)).catch((error) => { res.statusCode = 500; res.end(String(error)); });
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
process.stdin.on('end', () => process.exit(0)).resume(); // ends with who started it
