package incident_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/account/accounttest"
	"github.com/skybridge-cloud/skybridge/internal/control/incident"
	"github.com/skybridge-cloud/skybridge/internal/control/notify"
	"github.com/skybridge-cloud/skybridge/internal/control/vpn"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/db/dbtest"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/holding"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/retention"
)

var (
	ctx   = context.Background()
	staff = account.Principal{Subject: "sub_one", Session: "ses_1", Staff: true}
	other = account.Principal{Subject: "sub_two", Session: "ses_2", Staff: true}
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func is(t testing.TB, got, want error) {
	t.Helper()
	if !errors.Is(got, want) && (want == nil || errs.CodeOf(got) != errs.CodeOf(want)) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// world is who there is: it fills the ports of people, VPN users, sessions and
// minors, and takes the mails.
type world struct {
	mu      sync.Mutex
	people  []id.Handle
	users   []vpn.User
	clients []string // with a session in any span
	minors  []id.Handle
	refuses []id.Handle // mail of whom is refused
	mails   []notify.Mail
}

func after[T ~string](all []T, from T, limit int) (page []T) {
	all = slices.Clone(all)
	slices.Sort(all)
	for _, a := range slices.Compact(all) {
		if a > from && len(page) < limit {
			page = append(page, a)
		}
	}
	return page
}

func (w *world) People(_ context.Context, from id.Handle, limit int) ([]id.Handle, error) {
	return after(w.people, from, limit), nil
}

func (w *world) SeenBetween(_ context.Context, _, _ time.Time, from id.Handle, limit int) ([]id.Handle, error) {
	return after(w.people[:1], from, limit), nil
}

func (w *world) Owner(_ context.Context, a account.ID) (id.Handle, error) {
	if i := slices.Index(w.people, id.Handle("sub_"+strings.TrimPrefix(string(a), "acc_"))); i >= 0 {
		return w.people[i], nil
	}
	return "", account.ErrNotFound
}

func (w *world) Users(_ context.Context, a account.ID, from string, limit int) (page []vpn.User, err error) {
	for _, u := range w.users {
		if u.Client > from && (a == "" || u.Account == a) && len(page) < limit {
			page = append(page, u)
		}
	}
	return page, nil
}

func (w *world) UserOf(_ context.Context, client string) (vpn.User, error) {
	for _, u := range w.users {
		if u.Client == client {
			return u, nil
		}
	}
	return vpn.User{}, vpn.ErrClientNotFound
}

func (w *world) GatewayAccounts(_ context.Context, from account.ID, limit int) ([]account.ID, error) {
	return after([]account.ID{"acc_0001", "acc_gone"}, from, limit), nil
}

func (w *world) ClientsBetween(_ context.Context, _, _ time.Time, from string, limit int) ([]string, error) {
	return after(w.clients, from, limit), nil
}

func (w *world) Minor(_ context.Context, subject id.Handle) (bool, error) {
	return slices.Contains(w.minors, subject), nil
}

func (w *world) Send(_ context.Context, m notify.Mail) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if slices.Contains(w.refuses, m.Subject) {
		return notify.ErrRefused
	}
	w.mails = append(w.mails, m)
	return nil
}

type rig struct {
	accounttest.Rig
	*world
	s   *incident.Service
	log *bytes.Buffer
}

// in makes a rig of a profile with n people and an owner's VPN user; a counter
// may stand each for many.
func in(t testing.TB, d *db.DB, profile string, n int, counter incident.Counter) rig {
	t.Helper()
	r := rig{accounttest.New(t, d, profile, false), &world{}, nil, &bytes.Buffer{}}
	for i := range n {
		r.people = append(r.people, id.Handle(fmt.Sprintf("sub_%04d", i)))
	}
	log := slog.New(slog.NewTextHandler(r.log, nil))
	mailer, err := notify.New(notify.Deps{
		DB: d, Clock: r.Clock, Queue: r.Queue, Log: log, Account: r.Account, Sender: r.world, URL: "https://console.example.org", Brand: "Example",
	})
	must(t, err)
	r.s = incident.New(incident.Deps{
		DB: d, Clock: r.Clock, Queue: r.Queue, Log: log, Audit: r.Audit, Notify: mailer, People: r.world, Users: r.world, Session: r.world,
		Minors: r.world, Profile: profile, Counter: counter,
		Sender: incident.Operator{Brand: "Example", LegalName: "Example Co.", Contact: "privacy@example.org", DPO: "Li", DPOContact: "dpo@example.org"},
	})
	return r
}

func migrations() []db.Migrations {
	return append(accounttest.Migrations(), notify.Migrations(), incident.Migrations())
}

// each runs a test on both engines.
func each(t *testing.T, n int, fn func(*testing.T, rig)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) { fn(t, in(t, d, "mainland", n, nil)) }, migrations()...)
}

func one(t *testing.T, profile string, n int, counter incident.Counter) rig {
	t.Helper()
	return in(t, dbtest.SQLite(t, migrations()...), profile, n, counter)
}

// drain runs the jobs that are due.
func (r rig) drain(t testing.TB) {
	t.Helper()
	for ran := true; ran; {
		var err error
		ran, err = r.Queue.RunOne(ctx)
		must(t, err)
	}
}

func (r rig) watch(t testing.TB) { t.Helper(); must(t, r.s.Watch(ctx)) }

func known(at time.Time) incident.NewIncident {
	return incident.NewIncident{Kind: incident.Leak, DiscoveredAt: at, DetectedBy: "monitoring"}
}

// opened is an incident whose people are counted.
func (r rig) opened(t testing.TB, n incident.NewIncident) incident.View {
	t.Helper()
	i, err := r.s.Open(ctx, staff, n)
	must(t, err)
	r.drain(t)
	return r.show(t, i.ID)
}

func (r rig) show(t testing.TB, incident string) incident.View {
	t.Helper()
	v, err := r.s.Show(ctx, incident)
	must(t, err)
	return v
}

// full are words that lack nothing.
func full() incident.Words {
	w := incident.Words{"zh-CN": {}, "en": {}}
	for l := range w {
		for _, f := range incident.FieldNames() {
			w[l][f] = f + " in " + l
		}
	}
	return w
}

func (r rig) told(t testing.TB, incident string) incident.View {
	t.Helper()
	_, err := r.s.Write(ctx, staff, incident, full(), false)
	must(t, err)
	must(t, r.s.Send(ctx, staff, incident))
	r.drain(t)
	return r.show(t, incident)
}

func clockOf(v incident.View, rule string) incident.Clock {
	for _, c := range v.Clocks {
		if c.Rule == rule {
			return c
		}
	}
	return incident.Clock{}
}

// Job 15 of the specification: grade, four hours, fields, fallback, thirty days,
// with a counter that stands each person for many.
func TestDrill(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		people, each int64
		grade        incident.Grade
		reported     bool
	}{
		{3, 333_333, incident.Ordinary, false},
		{4, 250_000, incident.Large, true},
		{3, 3_333_333, incident.Large, true},
		{5, 2_000_000, incident.Major, true},
		{4, 25_000_000, incident.Extreme, true},
	} {
		t.Run(fmt.Sprint(c.people*c.each), func(t *testing.T) {
			t.Parallel()
			r := one(t, "mainland", int(c.people), func(ctx context.Context, q db.Q, i string) (int64, error) {
				n, err := db.Get(ctx, q, nil, db.One[int64], "SELECT count(*) FROM incident_person WHERE incident = $1", i)
				return n * c.each, err
			})
			t0 := r.Clock.Now().Add(-30 * time.Minute)
			i, err := r.s.Open(ctx, staff, known(t0))
			must(t, err)
			if c := clockOf(r.show(t, i.ID), incident.RuleAuthority); !c.Due.Equal(t0.Add(4*time.Hour)) || !c.WaivedAt.IsZero() {
				t.Errorf("before the count the authority's clock is %+v", c)
			}
			r.drain(t)
			v := r.show(t, i.ID)
			authority := clockOf(v, incident.RuleAuthority)
			if v.People != c.people*c.each || v.Grade() != c.grade || v.State != incident.Assessed || authority.WaivedAt.IsZero() != c.reported {
				t.Fatalf("got %d people, grade %s, %s, authority %+v", v.People, v.Grade(), v.State, authority)
			}
			drill(t, r, v, c.reported)
		})
	}
}

// drill walks an incident to its end.
func drill(t *testing.T, r rig, v incident.View, reported bool) {
	t.Helper()
	w := full()
	delete(w["en"], "remedy")
	_, err := r.s.Write(ctx, staff, v.ID, w, false)
	must(t, err)
	is(t, r.s.Send(ctx, staff, v.ID), incident.ErrField)
	v = r.told(t, v.ID)
	if v.State != incident.Notified || clockOf(v, incident.RulePeople).MetAt.IsZero() || v.Reach.Told != int64(len(r.people)) {
		t.Fatalf("got %s, %+v, %+v", v.State, v.Clocks, v.Reach)
	}
	r.watch(t) // these people have no address: all of them are not reached
	if v = r.show(t, v.ID); v.OwedAt.IsZero() || v.Reach.Unreachable != v.Reach.Told {
		t.Fatalf("no announcement is owed: %+v", v.Reach)
	}
	if reported {
		r.Clock.Advance(4*time.Hour - 31*time.Minute)
		r.watch(t)
		if c := clockOf(r.show(t, v.ID), incident.RuleAuthority); !c.MissedAt.IsZero() {
			t.Errorf("missed before its time: %+v", c)
		}
		r.Clock.Advance(time.Minute)
		r.watch(t)
		if c := clockOf(r.show(t, v.ID), incident.RuleAuthority); c.MissedAt.IsZero() {
			t.Errorf("four hours are over: %+v", c)
		}
		r.report(t, v.ID, incident.First)
	}
	must(t, r.s.Handled(ctx, staff, v.ID))
	handled := r.Clock.Now()
	is(t, r.s.Close(ctx, staff, v.ID), incident.ErrOwed)
	summary := clockOf(r.show(t, v.ID), incident.RuleSummary)
	if days := summary.Due.Sub(handled); days <= 30*24*time.Hour || days > 31*24*time.Hour {
		t.Errorf("the summary is due after %s", days)
	}
	r.report(t, v.ID, incident.Summary)
	is(t, r.s.Close(ctx, staff, v.ID), incident.ErrOwed)
	must(t, r.s.Announce(ctx, staff, v.ID))
	r.closeTasks(t, v.ID)
	must(t, r.s.Close(ctx, staff, v.ID))
}

// report drafts a report with all facts and says that it was sent.
func (r rig) report(t *testing.T, id string, kind incident.ReportKind) {
	t.Helper()
	facts := map[string]string{}
	for _, f := range incident.FactNames {
		facts[f] = "about " + f
	}
	must(t, r.s.SetFacts(ctx, staff, id, facts))
	p, err := r.s.DraftReport(ctx, staff, id, kind)
	must(t, err)
	must(t, r.s.ReportSent(ctx, staff, id, p.Version, r.Clock.Now(), "CAC-1"))
}

func (r rig) closeTasks(t *testing.T, id string) {
	t.Helper()
	for {
		all, err := r.s.Tasks(ctx, id, false, "", 100)
		must(t, err)
		if len(all) == 0 {
			return
		}
		task := all[0]
		task.Outcome = "no_contact"
		must(t, r.s.CloseTask(ctx, staff, task))
	}
}

func TestT0IsTheEarlierOfDiscoveryAndBeingTold(t *testing.T) {
	t.Parallel()
	r := one(t, "mainland", 1, nil)
	now := r.Clock.Now()
	for name, c := range map[string]struct {
		discovered, told, want time.Time
		err                    error
	}{
		"discovered":  {now, time.Time{}, now, nil},
		"told":        {time.Time{}, now, now, nil},
		"told before": {now, now.Add(-time.Hour), now.Add(-time.Hour), nil},
		"told after":  {now.Add(-time.Hour), now, now.Add(-time.Hour), nil},
		"neither":     {err: incident.ErrTimes},
		"tomorrow":    {now.Add(time.Hour), now, now, incident.ErrTimes},
	} {
		n := incident.NewIncident{Kind: incident.Loss, DiscoveredAt: c.discovered, ToldAt: c.told, DetectedBy: "person"}
		i, err := r.s.Open(ctx, staff, n)
		is(t, err, c.err)
		if err == nil && !i.T0.Equal(c.want) {
			t.Errorf("%s: got %s, want %s", name, i.T0, c.want)
		}
	}
}

func TestAScopeCountsEachPersonOnce(t *testing.T) {
	t.Parallel()
	each(t, 0, func(t *testing.T, r rig) {
		r.world.people = []id.Handle{"sub_0001", "sub_0002", "sub_0003"}
		for i := range 450 { // three pages
			r.users = append(r.users, vpn.User{Client: fmt.Sprintf("sslcli-%04d", i), Account: "acc_0002", Subject: id.Handle(fmt.Sprintf("sub_u%04d", i))})
		}
		r.users[0].Account = "acc_0001"
		r.clients = []string{"sslcli-0007", "sslcli-erased"}
		from := r.Clock.Now().Add(-time.Hour)
		to := r.Clock.Now()
		for name, c := range map[string]struct {
			scope []incident.Query
			want  int64
		}{
			"unknown":        {nil, 453},
			"everyone":       {[]incident.Query{{Kind: incident.Everyone}, {Kind: incident.Everyone}}, 453},
			"an account":     {[]incident.Query{{Kind: incident.Accounts, Accounts: []string{"acc_0001", "acc_nobody"}}}, 2},
			"two accounts":   {[]incident.Query{{Kind: incident.Accounts, Accounts: []string{"acc_0001", "acc_0002", "acc_0001"}}}, 452},
			"logins":         {[]incident.Query{{Kind: incident.Logins, From: from, To: to}}, 1},
			"tunnels":        {[]incident.Query{{Kind: incident.Tunnels, From: from, To: to}}, 2},
			"both":           {[]incident.Query{{Kind: incident.Logins, From: from, To: to}, {Kind: incident.Accounts, Accounts: []string{"acc_0001"}}}, 2},
			"gateways":       {[]incident.Query{{Kind: incident.Stores, Stores: []string{"gateways"}}}, 451},
			"the store":      {[]incident.Query{{Kind: incident.Stores, Stores: []string{"gateways", "main"}}}, 453},
			"unknown stores": {[]incident.Query{{Kind: incident.Stores}}, 453},
			"backup":         {[]incident.Query{{Kind: incident.Stores, Stores: []string{"backup"}}}, 453},
		} {
			n := known(r.Clock.Now())
			n.Scope = c.scope
			if v := r.opened(t, n); v.People != c.want || v.CountedAt.IsZero() {
				t.Errorf("%s: got %d, want %d", name, v.People, c.want)
			}
		}
		for name, q := range map[string]incident.Query{
			"a query of nobody's": {Kind: "SELECT"}, "a backward span": {Kind: incident.Logins, From: to, To: from}, "no span": {Kind: incident.Tunnels},
			"no account": {Kind: incident.Accounts}, "another store": {Kind: incident.Stores, Stores: []string{"disk"}},
		} {
			n := known(r.Clock.Now())
			n.Scope = []incident.Query{q}
			if _, err := r.s.Open(ctx, staff, n); err == nil {
				t.Errorf("%s was taken", name)
			}
		}
	})
}

func TestAGradeIsOnlyRaised(t *testing.T) {
	t.Parallel()
	r := one(t, "mainland", 2, nil)
	n := known(r.Clock.Now())
	n.Critical = true
	v := r.opened(t, n)
	if c := clockOf(v, incident.RuleCritical); !c.Due.Equal(v.T0.Add(time.Hour)) || c.WaivedAt.IsZero() {
		t.Errorf("critical and ordinary: got %+v", c)
	}
	must(t, r.s.Raise(ctx, staff, v.ID, incident.Major))
	v = r.show(t, v.ID)
	if c := clockOf(v, incident.RuleCritical); v.Grade() != incident.Major || !c.Due.Equal(v.T0.Add(time.Hour)) || !c.WaivedAt.IsZero() {
		t.Errorf("raised: got %s, %+v", v.Grade(), c)
	}
	for _, g := range []incident.Grade{incident.Ordinary, incident.Large, incident.Major} {
		is(t, r.s.Raise(ctx, staff, v.ID, g), incident.ErrLower)
	}
	is(t, r.s.Raise(ctx, staff, v.ID, "worse"), incident.ErrKind)
	must(t, r.s.Raise(ctx, staff, v.ID, incident.Extreme))
}

func TestANoticeWithoutAFieldIsNotSent(t *testing.T) {
	t.Parallel()
	r := one(t, "mainland", 1, nil)
	v := r.opened(t, known(r.Clock.Now()))
	is(t, r.s.Send(ctx, staff, v.ID), incident.ErrNoDraft)
	for _, f := range incident.FieldNames() {
		for _, l := range []string{"zh-CN", "en"} {
			w := full()
			w[l][f] = " "
			_, err := r.s.Write(ctx, staff, v.ID, w, false)
			must(t, err)
			var e *errs.Error
			if err := r.s.Send(ctx, staff, v.ID); !errors.As(err, &e) || e.Code != "incident.field" || e.Params["field"] != f+"."+l {
				t.Fatalf("without %s in %s: got %v", f, l, err)
			}
		}
	}
	for name, w := range map[string]incident.Words{
		"another field": {"en": {"excuse": "x"}}, "another language": {"fr": {"cause": "x"}}, "a handle": {"en": {"cause": string(id.NewHandle())}},
		"an identity number": {"zh-CN": {"impact": "身份证 11010519491231002X"}}, "a book": {"en": {"cause": strings.Repeat("x", 2001)}},
	} {
		if _, err := r.s.Write(ctx, staff, v.ID, w, false); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

func TestAnUnknownCauseOwesASupplement(t *testing.T) {
	t.Parallel()
	r := one(t, "mainland", 2, nil)
	v := r.opened(t, known(r.Clock.Now()))
	w := full()
	w["zh-CN"]["cause"], w["en"]["cause"] = "", ""
	_, err := r.s.Write(ctx, staff, v.ID, w, true)
	must(t, err)
	w["en"]["advice"] = ""
	_, err = r.s.Write(ctx, staff, v.ID, w, true)
	must(t, err)
	is(t, r.s.Send(ctx, staff, v.ID), incident.ErrField) // only the cause may be missing
	w["en"]["advice"] = "x"
	_, err = r.s.Write(ctx, staff, v.ID, w, true)
	must(t, err)
	must(t, r.s.Send(ctx, staff, v.ID))
	r.drain(t)
	sent := r.Clock.Now()
	v = r.show(t, v.ID)
	if c := clockOf(v, incident.RuleSupplement); !c.Due.Equal(sent.Add(72*time.Hour)) || !c.MetAt.IsZero() {
		t.Fatalf("got %+v", v.Clocks)
	}
	mine, err := r.s.Mine(ctx, "sub_0001", "en")
	must(t, err)
	if len(mine) != 1 || !strings.Contains(mine[0].Text, "not known yet") {
		t.Errorf("got %+v", mine)
	}
	_, err = r.s.Write(ctx, staff, v.ID, w, true)
	is(t, err, incident.ErrCause)
	v = r.told(t, v.ID)
	if c := clockOf(v, incident.RuleSupplement); c.MetAt.IsZero() || v.State != incident.Notified {
		t.Errorf("after the supplement: %s, %+v", v.State, c)
	}
	if mine, err = r.s.Mine(ctx, "sub_0001", "en"); err != nil || len(mine) != 2 || !strings.Contains(mine[0].Title+mine[1].Title, "Further") {
		t.Errorf("got %+v, %v", mine, err)
	}
}

func (r rig) count(t *testing.T, query string) int64 {
	t.Helper()
	n, err := db.Get(ctx, r.DB, nil, db.One[int64], query)
	must(t, err)
	return n
}

// Whatever runs in parallel or is killed, a person gets a notice once. A killed
// run is one whose context ends: what was not committed is not there.
func TestANoticeReachesEachPersonOnce(t *testing.T) {
	t.Parallel()
	each(t, 430, func(t *testing.T, r rig) {
		v := r.opened(t, known(r.Clock.Now()))
		if v.People != 430 {
			t.Fatalf("got %d people", v.People)
		}
		n, err := r.s.Write(ctx, staff, v.ID, full(), false)
		must(t, err)
		must(t, r.s.Send(ctx, staff, v.ID))
		var wg sync.WaitGroup
		for k := range 6 {
			wg.Go(func() {
				short, stop := context.WithTimeout(ctx, time.Duration(1+5*k)*time.Millisecond)
				defer stop()
				_ = r.s.Fanout(short, n.ID)
			})
		}
		wg.Wait()
		for range 3 {
			wg.Go(func() {
				if err := r.s.Fanout(ctx, n.ID); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		must(t, r.s.Fanout(ctx, n.ID))
		messages := r.count(t, "SELECT count(*) FROM notify_message WHERE event = 'incident.notice'")
		deliveries := r.count(t, "SELECT count(DISTINCT subject) FROM incident_delivery")
		if messages != 430 || deliveries != 430 {
			t.Errorf("got %d messages, %d deliveries", messages, deliveries)
		}
		if v = r.show(t, v.ID); v.State != incident.Notified {
			t.Errorf("got %s", v.State)
		}
		// Twelve more turn out to be reached: they get it, nobody gets it again.
		for i := range 12 {
			r.users = append(r.users, vpn.User{Client: fmt.Sprintf("sslcli-%d", i), Account: "acc_0001", Subject: id.Handle(fmt.Sprintf("sub_a%d", i))})
		}
		must(t, r.s.Widen(ctx, staff, v.ID, []incident.Query{{Kind: incident.Accounts, Accounts: []string{"acc_0001"}}}))
		must(t, r.s.Count(ctx, v.ID))
		must(t, r.s.Fanout(ctx, n.ID))
		v = r.show(t, v.ID)
		if again := r.count(t, "SELECT count(*) FROM notify_message WHERE event = 'incident.notice'"); again != 430 || v.Reach.Told != 442 || v.State != incident.Notified {
			t.Errorf("widened: got %d messages, %d told, %s", again, v.Reach.Told, v.State)
		}
	})
}

func TestWhoIsNotReachedIsCalledAndOwedAnAnnouncement(t *testing.T) {
	t.Parallel()
	r := one(t, "hongkong", 0, nil)
	for i := range 19 {
		r.world.people = append(r.world.people, r.grown(t, i))
	}
	r.users = []vpn.User{{Client: "sslcli-1", Account: "acc_x", Subject: "sub_user"}}
	r.drain(t)
	r.mails = nil
	r.refuses = r.world.people[:2]
	v := r.opened(t, known(r.Clock.Now()))
	v = r.told(t, v.ID)
	if len(r.mails) != 17 || v.Reach != (incident.Reach{Told: 20, Reached: 17, Unreachable: 2}) {
		t.Fatalf("got %d mails, %+v", len(r.mails), v.Reach)
	}
	m := r.mails[0]
	if !strings.Contains(m.Text, "advice in en") || !strings.Contains(m.HTML, "advice in en") || m.Purpose != "security" {
		t.Errorf("got %s", m.Text)
	}
	all, err := r.s.Tasks(ctx, v.ID, false, "", 100)
	must(t, err)
	if len(all) != 4 || v.OpenTasks != 4 { // letter and phone of two
		t.Fatalf("got %+v", all)
	}
	r.watch(t)
	if v = r.show(t, v.ID); v.OwedAt.IsZero() {
		t.Error("two of twenty are not reached, and no announcement is owed")
	}
	letter := all[slices.IndexFunc(all, func(k incident.Task) bool { return k.Kind == "letter" })]
	letter.Outcome = "reached"
	is(t, r.s.CloseTask(ctx, staff, letter), incident.ErrReference)
	letter.Reference = "RR123456785HK"
	must(t, r.s.CloseTask(ctx, staff, letter))
	is(t, r.s.CloseTask(ctx, staff, letter), incident.ErrNotFound)
	if v = r.show(t, v.ID); v.OpenTasks != 2 || v.Reach.Unreachable != 1 || v.Reach.Reached != 18 {
		t.Errorf("after a letter: %d tasks, %+v", v.OpenTasks, v.Reach)
	}
	// The VPN user has no address: seen within a day, or called.
	r.Clock.Advance(25 * time.Hour)
	r.watch(t)
	if v = r.show(t, v.ID); v.OpenTasks != 4 || v.Reach.Unreachable != 2 {
		t.Errorf("after a day: %d tasks, %+v", v.OpenTasks, v.Reach)
	}
	mine, err := r.s.Mine(ctx, "sub_user", "zh-CN")
	must(t, err)
	unread := func(want int) {
		t.Helper()
		if n, err := r.s.Unread(ctx, r.DB, "sub_user"); err != nil || n != want {
			t.Errorf("got %d unread, %v; want %d", n, err, want)
		}
	}
	unread(len(mine))
	must(t, r.s.Seen(ctx, "sub_user", mine[0].ID))
	unread(len(mine) - 1)
	is(t, r.s.Seen(ctx, "sub_stranger", mine[0].ID), incident.ErrNotFound)
	if v = r.show(t, v.ID); v.Reach.Unreachable != 1 || v.Reach.Reached != 19 {
		t.Errorf("after it was seen: %+v", v.Reach)
	}
	must(t, r.s.Announce(ctx, staff, v.ID))
	must(t, r.s.Announce(ctx, staff, v.ID))
	public, err := r.s.Announcements(ctx, "en")
	must(t, err)
	if len(public) != 1 || !strings.Contains(public[0].Text, "remedy in en") || strings.Contains(public[0].Text, "sub_") {
		t.Errorf("got %+v", public)
	}
}

// grown registers somebody in the profile hongkong.
func (r rig) grown(t testing.TB, i int) id.Handle {
	t.Helper()
	p, err := r.Consent.Prompt(ctx, "", "platform_policy", "en")
	must(t, err)
	border, err := r.Consent.Prompt(ctx, "", "crossborder.platform", "en")
	must(t, err)
	got, err := r.Account.Register(ctx, account.Registration{
		Name: fmt.Sprintf("person%d", i), Password: accounttest.Password, Email: fmt.Sprintf("p%d@example.org", i), Locale: "en",
		ConsentToken: p.Token, CrossborderToken: border.Token, Adult: true, Channel: "console",
		Source: account.Source{IP: netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}), UserAgent: accounttest.From.UserAgent},
	})
	must(t, err)
	return got.Subject
}

func TestFivePercentNotReachedIsNotYetAnAnnouncement(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		r    incident.Reach
		want bool
	}{
		{incident.Reach{}, false},
		{incident.Reach{Told: 100, Unreachable: 5}, false},
		{incident.Reach{Told: 100, Unreachable: 6}, true},
		{incident.Reach{Told: 1, Unreachable: 1}, true},
		{incident.Reach{Told: 1_000_000, Unreachable: 50_001}, true},
	} {
		if got := c.r.Owes(); got != c.want {
			t.Errorf("%+v: got %v", c.r, got)
		}
	}
}

func TestNotTellingTakesTwoPeople(t *testing.T) {
	t.Parallel()
	r := one(t, "mainland", 2, nil)
	v := r.opened(t, known(r.Clock.Now()))
	is(t, r.s.Sign(ctx, staff, v.ID, "too short"), incident.ErrReason)
	must(t, r.s.Sign(ctx, staff, v.ID, "the disk was encrypted and came back unread"))
	is(t, r.s.Sign(ctx, staff, v.ID, "the disk was encrypted and came back unread"), incident.ErrSigned)
	if got := r.show(t, v.ID); got.State != incident.Assessed || !clockOf(got, incident.RulePeople).WaivedAt.IsZero() {
		t.Fatalf("one signature: got %s", got.State)
	}
	must(t, r.s.Sign(ctx, other, v.ID, "checked the seals and the log of the disk"))
	got := r.show(t, v.ID)
	if got.State != incident.Waived || clockOf(got, incident.RulePeople).WaivedAt.IsZero() || len(got.Signatures) != 2 {
		t.Fatalf("two signatures: got %s, %+v", got.State, got.Clocks)
	}
	// The authority may want them told all the same.
	if got = r.told(t, v.ID); got.State != incident.Notified || got.Reach.Told != 2 {
		t.Errorf("got %s, %+v", got.State, got.Reach)
	}
	is(t, r.s.Sign(ctx, staff, v.ID, "it is too late for this by now"), incident.ErrState)
}

func TestAMinorsGuardianIsLookedFor(t *testing.T) {
	t.Parallel()
	r := one(t, "mainland", 3, nil)
	r.minors = []id.Handle{"sub_0001"}
	v := r.told(t, r.opened(t, known(r.Clock.Now())).ID)
	all, err := r.s.Tasks(ctx, v.ID, false, "", 100)
	must(t, err)
	i := slices.IndexFunc(all, func(k incident.Task) bool { return k.Kind == "guardian" })
	if i < 0 || all[i].Subject != "sub_0001" {
		t.Fatalf("got %+v", all)
	}
	all[i].Outcome = "reached"
	must(t, r.s.CloseTask(ctx, staff, all[i]))
	if v = r.show(t, v.ID); v.Reach.Reached != 0 {
		t.Errorf("the guardian was spoken to, not the person: %+v", v.Reach)
	}
}

func TestAReportFollowsTheFormOfItsAuthority(t *testing.T) {
	t.Parallel()
	for profile, titles := range map[string][]string{
		"mainland": {"一、单位名称", "发现途径 / Found by: 监测系统 / monitoring", "级别 / Grade: 一般 / ordinary", "五、进一步调查所需线索", "七、现场保护情况", "待补充"},
		"hongkong": {"1. Data user", "3. Kinds of personal data", "Example Co.", "5. Risk of harm", "How data subjects were told"},
	} {
		t.Run(profile, func(t *testing.T) {
			t.Parallel()
			r := one(t, profile, 2, nil)
			n := known(r.Clock.Now())
			n.Kind = incident.Flaw
			v := r.opened(t, n)
			if c := clockOf(v, incident.RuleFlaw); !c.Due.Equal(v.T0.Add(24 * time.Hour)) {
				t.Errorf("a flaw: got %+v", v.Clocks)
			}
			p, err := r.s.DraftReport(ctx, staff, v.ID, incident.First)
			must(t, err)
			for _, want := range titles {
				if !strings.Contains(p.Markdown(), want) {
					t.Errorf("%q is not in\n%s", want, p.Markdown())
				}
			}
			is(t, r.s.ReportSent(ctx, staff, v.ID, p.Version, r.Clock.Now(), "1"), incident.ErrField)
			must(t, r.s.SetFacts(ctx, staff, v.ID, map[string]string{"systems": "a", "place": "b", "data": "c", "impact": "d", "measures": "e"}))
			p, err = r.s.DraftReport(ctx, staff, v.ID, incident.First)
			must(t, err)
			is(t, r.s.ReportSent(ctx, staff, v.ID, p.Version, r.Clock.Now().Add(time.Hour), ""), incident.ErrTimes)
			is(t, r.s.ReportSent(ctx, staff, v.ID, p.Version, r.Clock.Now(), "no spaces"), incident.ErrReference)
			must(t, r.s.ReportSent(ctx, staff, v.ID, p.Version, r.Clock.Now(), "CAC-2026-1"))
			is(t, r.s.ReportSent(ctx, staff, v.ID, p.Version, r.Clock.Now(), "CAC-2026-1"), incident.ErrIncident)
			v = r.show(t, v.ID)
			if len(v.Reports) != 2 || v.Reports[1].SentAt.IsZero() || v.Reports[0].Version != 1 || clockOf(v, incident.RuleAuthority).MetAt.IsZero() {
				t.Errorf("got %+v, %+v", v.Reports, v.Clocks)
			}
			r.report(t, v.ID, incident.FlawNote)
			if clockOf(r.show(t, v.ID), incident.RuleFlaw).MetAt.IsZero() {
				t.Error("the flaw was told of and its clock runs")
			}
			is(t, r.s.SetFacts(ctx, staff, v.ID, map[string]string{"blame": "x"}), incident.ErrKind)
		})
	}
}

func TestEachStepHasALeaf(t *testing.T) {
	t.Parallel()
	each(t, 2, func(t *testing.T, r rig) {
		v := r.told(t, r.opened(t, known(r.Clock.Now())).ID)
		var steps []string
		for _, k := range v.Steps {
			steps = append(steps, "incident."+k.Step)
		}
		leaves, err := db.Select(ctx, r.DB, db.One[string], "SELECT type FROM audit_leaf WHERE type LIKE 'incident.%' ORDER BY idx")
		must(t, err)
		want := []string{"incident.opened", "incident.counted", "incident.notice_written", "incident.notice_sent", "incident.notified"}
		if !slices.Equal(leaves, want) {
			t.Errorf("got leaves %v", leaves)
		}
		slices.Sort(steps)
		slices.Sort(want)
		if !slices.Equal(steps, want) {
			t.Errorf("got steps %v", steps)
		}
	})
}

func TestWhomAnIncidentReachedIsForgottenThreeYearsAfterItsClose(t *testing.T) {
	t.Parallel()
	r := one(t, "mainland", 2, nil)
	v := r.opened(t, known(r.Clock.Now()))
	drill(t, r, v, false)
	for _, c := range []struct {
		after int // months
		held  bool
		left  int64
	}{{35, false, 2}, {37, true, 2}, {37, false, 0}} {
		run := retention.Run{Now: r.Clock.Now().AddDate(0, c.after, 0), Profile: "mainland", Held: func(string, id.Handle) bool { return c.held }}
		if _, err := r.s.Retain(ctx, run); err != nil {
			t.Fatal(err)
		}
		left := r.count(t, "SELECT count(*) FROM incident_person")
		told := r.count(t, "SELECT count(*) FROM incident_delivery") + r.count(t, "SELECT count(*) FROM incident_task")
		gone, err := r.Vault.Destroyed(ctx, "system", "case/"+v.ID)
		if err != nil || left != c.left || (left == 0) != (told == 0) || (left == 0) != gone {
			t.Errorf("%+v: %d people, %d deliveries and tasks, the key of what the log tells destroyed %v, %v", c, left, told, gone, err)
		}
	}
}

func TestTheSchemaIsDescribed(t *testing.T) {
	t.Parallel()
	d := dbtest.SQLite(t, incident.Migrations())
	live, err := d.Schema(ctx)
	must(t, err)
	must(t, holding.Verify(incident.Holdings(), live))
}
