/*
 * Passkeys, for browsers that know them. Pages work without this file: what needs it is hidden until it runs.
 * A form with data-passkey="get" or "create" fetches a challenge, asks the person's authenticator, and posts its answer.
 */
const bytes = (text) =>
  Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), (sign) => sign.charCodeAt(0));
const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
const known = (list = []) => list.map((each) => ({ ...each, id: bytes(each.id) }));

async function ask(kind, options) {
  const publicKey = { ...options, challenge: bytes(options.challenge) };
  if (kind === 'create') {
    publicKey.user = { ...options.user, id: bytes(options.user.id) };
    publicKey.excludeCredentials = known(options.excludeCredentials);
  } else publicKey.allowCredentials = known(options.allowCredentials);
  const made = await navigator.credentials[kind]({ publicKey });
  const { response } = made;
  const answer = { clientDataJSON: text(response.clientDataJSON) };
  if (kind === 'create') {
    answer.attestationObject = text(response.attestationObject);
    if (response.getTransports) answer.transports = response.getTransports();
  } else {
    answer.authenticatorData = text(response.authenticatorData);
    answer.signature = text(response.signature);
    if (response.userHandle) answer.userHandle = text(response.userHandle);
  }
  return JSON.stringify({ id: made.id, rawId: text(made.rawId), type: made.type, response: answer });
}

async function submit(form) {
  const button = form.querySelector('button');
  const problems = form.querySelectorAll('[data-passkey-problem]');
  for (const problem of problems) {
    problem.hidden = true;
    problem.removeAttribute('data-error');
  }
  button.disabled = true;
  try {
    const challenge = await fetch(`${form.action}/challenge`, {
      method: 'POST',
      body: new URLSearchParams({ csrf: form.elements.csrf.value }),
      redirect: 'manual',
    });
    // Too late, or a login is due: the page itself knows what comes next.
    if (!challenge.ok) return location.assign(form.dataset.again);
    form.elements.credential.value = await ask(form.dataset.passkey, await challenge.json());
    form.submit();
  } catch (error) {
    const wanted = error.name === 'InvalidStateError' ? 'known' : 'cancelled';
    const told = [...problems].find((problem) => problem.dataset.passkeyProblem === wanted) || problems[0];
    told.setAttribute('data-error', `passkey_${told.dataset.passkeyProblem}`);
    told.hidden = false;
    button.disabled = false;
  }
}

if (window.PublicKeyCredential && navigator.credentials) {
  for (const shown of document.querySelectorAll('[data-passkey-with]')) shown.hidden = false;
  for (const hidden of document.querySelectorAll('[data-passkey-without]')) hidden.hidden = true;
  for (const form of document.querySelectorAll('form[data-passkey]')) {
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      submit(form);
    });
  }
}
