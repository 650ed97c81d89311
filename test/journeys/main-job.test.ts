import { openPerson } from '../support/person.js';
import { startSite, type TestSite } from '../support/site.js';
import { enrol, PASSWORD, resetPassword } from './steps.js';

const BAYU = { nip: '199502282024211003', email: 'bayu@disdik.boyolali.example' };

let site: TestSite;
beforeAll(async () => {
  site = await startSite();
});
afterAll(() => site.stop());

describe('the main job', () => {
  it('activates, enrols, logs in to all four once, and logs out everywhere', async () => {
    const person = openPerson(site.origin);

    const done = await resetPassword(site, person, BAYU);
    expect(done.page).toBe('reset/password/done');

    await person.get('/demo/myasn');
    const login = await person.follow('/demo/myasn/login');
    expect(login.page).toBe('sign-in/password');
    // The reset in this browser proved the mailbox: straight to the authenticator.
    const enrolment = await person.submit('/password', { username: BAYU.nip, password: PASSWORD });
    expect(enrolment.page).toBe('sign-in/enrol');
    const { otp, codes } = await enrol(person);
    expect(codes).toHaveLength(10);
    expect(person.shown.url.pathname).toBe('/demo/myasn');
    expect(person.shown.html).toContain('urn:asn:aal2');
    expect(person.shown.html).toContain(BAYU.nip);

    for (const app of ['siasn', 'sscasn', 'dms']) {
      await person.get(`/demo/${app}`);
      const inside = await person.follow(`/demo/${app}/login`);
      expect({ app, path: inside.url.pathname, page: inside.page }).toEqual({
        app,
        path: `/demo/${app}`,
        page: 'demo/signed-in',
      });
    }

    await person.get('/demo/dms');
    const confirm = await person.submit('/demo/dms/logout');
    expect(confirm.page).toBe('sign-out/confirm');
    const out = await person.submit('/confirm');
    expect(out.url.pathname).toBe('/demo/dms/signed-out');
    expect((await person.get('/demo/myasn')).page).toBe('demo/signed-out');

    await person.get('/demo/siasn');
    const again = await person.follow('/demo/siasn/login');
    expect(again.page).toBe('sign-in/password');
    const code = await person.submit('/password', { username: BAYU.nip, password: PASSWORD });
    expect(code.page).toBe('sign-in/otp');
    const reused = await person.submit('/otp', { otp });
    expect(reused.errors).toEqual(['otp_reused']);
  });
});
