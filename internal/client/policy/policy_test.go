package policy

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/skybridge-cloud/skybridge/internal/client/local"
	"github.com/skybridge-cloud/skybridge/internal/platform/bundle"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
)

var day = time.Unix(1.8e9, 0).UTC()

const server = "server:vpn.example.org:443"

type rig struct {
	*Store
	clock *clock.Fake
}

func newRig(t *testing.T) rig {
	t.Helper()
	dir, err := local.Open(filepath.Join(t.TempDir(), "skyconnect"))
	if err != nil {
		t.Fatal(err)
	}
	c := clock.NewFake(day)
	return rig{New(dir, c), c}
}

// again is another process at the same directory.
func (r rig) again() rig { return rig{New(r.dir, r.clock), r.clock} }

func published(version, change string, from time.Time) bundle.Policy {
	texts := []bundle.Text{{Locale: "zh-CN", Title: "政策", Body: "# 政策 " + version}, {Locale: "en", Title: "Policy", Body: "# Policy " + version}}
	return bundle.Policy{Version: version, Change: change, Effective: from, SHA256: bundle.Digest(version, texts), Texts: texts}
}

func (r rig) offer(t *testing.T, p bundle.Policy) Text {
	t.Helper()
	if err := r.Offer(server, p); err != nil {
		t.Fatal(err)
	}
	return Text{server, p}
}

func (r rig) act(t *testing.T, d Decision, x Text) {
	t.Helper()
	if _, err := r.Record(d, x, "en"); err != nil {
		t.Fatal(err)
	}
}

// allowed asks as the engine does: for a permit, and the permit.
func (r rig) allowed(scope string) error {
	p, err := r.Accepted(scope)
	if err != nil {
		return err
	}
	return p.Allows()
}

func TestNothingIsPermittedBeforeTheAct(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for _, scope := range []string{BuiltIn, server, ""} {
		if err := r.allowed(scope); err == nil {
			t.Errorf("%q: permitted", scope)
		}
	}
	if err := (*permit)(nil).Allows(); !errors.Is(err, ErrNotAccepted) {
		t.Errorf("no permit at all: got %v", err)
	}
	if names, err := r.dir.List("*"); err != nil || len(names) != 0 {
		t.Errorf("something is stored before the act: %v, %v", names, err)
	}
	r.act(t, Refuse, OwnText())
	if err := r.allowed(BuiltIn); !errors.Is(err, ErrNotAccepted) {
		t.Errorf("refused: got %v", err)
	}
	r.act(t, Accept, OwnText())
	if err := r.allowed(BuiltIn); err != nil {
		t.Errorf("accepted: got %v", err)
	}
	if err := r.allowed(server); !errors.Is(err, ErrUnknown) {
		t.Errorf("another scope: got %v", err)
	}
}

func TestAWithdrawalHoldsAtOnceInEveryProcess(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.act(t, Accept, OwnText())
	p, err := r.Accepted(BuiltIn)
	if err != nil {
		t.Fatal(err)
	}
	r.again().act(t, Withdraw, OwnText())
	if err := p.Allows(); !errors.Is(err, ErrWithdrawn) {
		t.Errorf("got %v", err)
	}
	r.again().act(t, Accept, OwnText())
	if err := p.Allows(); err != nil {
		t.Errorf("accepted again: got %v", err)
	}
	if err := r.dir.Erase(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := p.Allows(); !errors.Is(err, ErrNotAccepted) {
		t.Errorf("erased: got %v", err)
	}
}

func TestVersionsOfTheOperator(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name     string
		accepted bundle.Policy
		later    bundle.Policy
		want     error
		told     bool
	}{
		{"the same", published("1.0.0", "major", day), published("1.0.0", "major", day), nil, false},
		{"minor", published("1.0.0", "major", day), published("1.0.1", "minor", day), nil, true},
		{"major", published("1.0.0", "major", day), published("2.0.0", "major", day), ErrMajorPending, false},
		{"said to be minor", published("1.0.0", "major", day), published("2.0.0", "minor", day), ErrMajorPending, false},
		{"said to be major", published("1.0.0", "major", day), published("1.1.0", "major", day), ErrMajorPending, false},
		{"major, not in force yet", published("1.0.0", "major", day), published("2.0.0", "major", day.Add(time.Hour)), nil, false},
		{"an older one", published("2.0.0", "major", day), published("1.0.0", "major", day), nil, false},
	}
	for _, c := range cases {
		r := newRig(t)
		r.act(t, Accept, r.offer(t, c.accepted))
		r.offer(t, c.later)
		if err := r.allowed(server); !errors.Is(err, c.want) || c.want == nil && err != nil {
			t.Errorf("%s: got %v, want %v", c.name, err, c.want)
		}
		if st, err := r.Standing(server); err != nil || st.Told != c.told {
			t.Errorf("%s: got %+v, %v, want told %v", c.name, st, err, c.told)
		}
	}
}

// TestWhatChangedIsShown: TY-8.1, of the operator's text and of the client's own,
// whose former text only the store has.
func TestWhatChangedIsShown(t *testing.T) {
	r := newRig(t)
	body := func(version, english string) bundle.Policy {
		texts := []bundle.Text{{Locale: "zh-CN", Title: "政策", Body: "# 政策\n\n[TY-1.1] 甲"}, {Locale: "en", Title: "Policy", Body: english}}
		return bundle.Policy{Version: version, Change: "major", Effective: day, SHA256: bundle.Digest(version, texts), Texts: texts}
	}
	r.act(t, Accept, r.offer(t, body("1.0.0", "# Policy 1\n\n[TY-1.1] stays\n\n[TY-1.2] goes\n\n[TY-1.3] was so")))
	r.offer(t, body("2.0.0", "# Policy 2\n\n[TY-1.1] stays\n\n[TY-1.3] is so\n\n[TY-1.4] comes"))
	st, err := r.Standing(server)
	if err != nil || !errors.Is(st.Refused, ErrMajorPending) {
		t.Fatalf("got %v, %v", st.Refused, err)
	}
	want := Changes{New: []string{"[TY-1.3] is so", "[TY-1.4] comes"}, Gone: []string{"[TY-1.2] goes", "[TY-1.3] was so"}}
	if diff := cmp.Diff(want, r.Changes(st, "en")); diff != "" {
		t.Error(diff)
	}
	if got := r.Changes(st, "zh-CN"); len(got.New)+len(got.Gone) > 0 {
		t.Errorf("in Chinese nothing has changed: got %+v", got)
	}
	own := OwnText()
	r.act(t, Accept, own)
	st, err = r.Standing(BuiltIn)
	if err != nil {
		t.Fatal(err)
	}
	if got := r.Changes(st, "en"); len(got.New)+len(got.Gone) > 0 {
		t.Errorf("of the accepted text itself: got %+v", got)
	}
	st.InForce.Policy = body("9.0.0", own.In("en").Body+"\n\n[TY-9] another")
	if got := r.Changes(st, "en"); !slices.Equal(got.New, []string{"[TY-9] another"}) || len(got.Gone) > 0 {
		t.Errorf("of the client's own text: got %+v", got)
	}
	st.Last.SHA256 = "another"
	if got := r.Changes(st, "en"); len(got.New)+len(got.Gone) > 0 {
		t.Errorf("of a text that is not kept: got %+v", got)
	}
}

func TestAMajorVersionBlocksFromItsDayOn(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.act(t, Accept, r.offer(t, published("1.0.0", "major", day)))
	next := r.offer(t, published("2.0.0", "major", day.Add(7*24*time.Hour)))
	p, err := r.Accepted(server)
	if err != nil {
		t.Fatal(err)
	}
	if st, err := r.Standing(server); err != nil || st.Next == nil || st.Next.Version != "2.0.0" {
		t.Errorf("got %+v, %v, want the next one shown before its day", st, err)
	}
	r.clock.Advance(7 * 24 * time.Hour)
	if err := p.Allows(); !errors.Is(err, ErrMajorPending) {
		t.Errorf("its day: got %v", err)
	}
	r.act(t, Refuse, next)
	if err := p.Allows(); !errors.Is(err, ErrNotAccepted) {
		t.Errorf("refused: got %v", err)
	}
	r.act(t, Accept, next)
	if err := p.Allows(); err != nil {
		t.Errorf("accepted: got %v", err)
	}
}

func TestATextThatNobodyPublishedIsUnknown(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.offer(t, published("1.0.0", "major", day))
	other := published("1.0.0", "major", day)
	other.Texts = slices.Clone(other.Texts)
	other.Texts[1].Body = "# Another"
	if err := r.Offer(server, other); !errors.Is(err, bundle.ErrField) {
		t.Errorf("a digest of another text: got %v", err)
	}
	other.SHA256 = bundle.Digest(other.Version, other.Texts)
	if err := r.Offer(server, other); !errors.Is(err, ErrUnknown) {
		t.Errorf("the same version twice: got %v", err)
	}
	if _, err := r.Record(Accept, Text{server, other}, "en"); !errors.Is(err, ErrUnknown) {
		t.Errorf("accepting it: got %v", err)
	}
	if err := r.Offer(BuiltIn, other); !errors.Is(err, ErrUnknown) {
		t.Errorf("in the place of the client's own: got %v", err)
	}
	for _, bad := range []struct {
		act    Decision
		locale string
	}{{"agree", "en"}, {Accept, "fr"}, {Accept, ""}} {
		if _, err := r.Record(bad.act, OwnText(), bad.locale); !errors.Is(err, ErrUnknown) {
			t.Errorf("%+v: got %v", bad, err)
		}
	}
}

// TestWhatCannotBeReadIsNotAccepted cuts the file of acts at every byte, as a
// power failure may, and spoils it.
func TestWhatCannotBeReadIsNotAccepted(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.act(t, Accept, OwnText())
	accepted, err := r.dir.Read(actsFile, maxActs)
	if err != nil {
		t.Fatal(err)
	}
	r.act(t, Withdraw, OwnText())
	withdrawn, err := r.dir.Read(actsFile, maxActs)
	if err != nil {
		t.Fatal(err)
	}
	put := func(text []byte) {
		t.Helper()
		if err := r.dir.Replace(actsFile, text); err != nil {
			t.Fatal(err)
		}
	}
	whole := len(strings.TrimRight(string(accepted), "\n"))
	for n := range whole {
		put(accepted[:n])
		if err := r.allowed(BuiltIn); err == nil {
			t.Fatalf("permitted by the first %d of %d bytes of an act", n, whole)
		}
	}
	for n := len(accepted) + 2; n < len(withdrawn); n++ {
		put(withdrawn[:n])
		if err := r.allowed(BuiltIn); err == nil {
			t.Fatalf("permitted by a withdrawal of which %d bytes are there", n-len(accepted))
		}
	}
	put(withdrawn[:len(withdrawn)-10])
	r.act(t, Accept, OwnText())
	if err := r.allowed(BuiltIn); err != nil {
		t.Errorf("accepted after a line that was cut off: got %v", err)
	}
	if all, broken, err := r.Receipts(); err != nil || len(all) != 2 || broken != 1 {
		t.Errorf("got %v, %d broken, %v", all, broken, err)
	}
	for name, text := range map[string]string{
		"no JSON": "accept", "an unknown key": strings.Replace(string(accepted), `"act"`, `"by":"x","act"`, 1),
		"another digest": strings.Replace(string(accepted), `"sha256":"`, `"sha256":"0`, 1),
	} {
		put([]byte(text))
		if err := r.allowed(BuiltIn); !errors.Is(err, ErrBroken) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if err := os.Remove(filepath.Join(r.dir.Root(), actsFile)); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/dev/zero", filepath.Join(r.dir.Root(), actsFile)); err != nil {
		t.Fatal(err)
	}
	if err := r.allowed(BuiltIn); !errors.Is(err, local.ErrUnsafe) {
		t.Errorf("a link: got %v", err)
	}
}

func TestABrokenTextOfTheOperatorPermitsNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.act(t, Accept, r.offer(t, published("1.0.0", "major", day)))
	names, err := r.dir.List(textPattern)
	if err != nil || len(names) != 1 {
		t.Fatal(names, err)
	}
	if err := r.dir.Replace(names[0], []byte("{}")); err != nil {
		t.Fatal(err)
	}
	if err := r.allowed(server); !errors.Is(err, ErrBroken) {
		t.Errorf("got %v", err)
	}
	if err := r.dir.Remove(names[0]); err != nil {
		t.Fatal(err)
	}
	if err := r.allowed(server); !errors.Is(err, ErrUnknown) {
		t.Errorf("gone: got %v", err)
	}
}

func TestReceiptsAreThePersonsProof(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	x := r.offer(t, published("1.0.0", "major", day))
	r.act(t, Accept, x)
	r.clock.Advance(time.Minute)
	r.act(t, Withdraw, x)
	got, broken, err := r.again().Receipts()
	want := []Receipt{
		{Accept, server, "1.0.0", x.SHA256, "en", day}, {Withdraw, server, "1.0.0", x.SHA256, "en", day.Add(time.Minute)},
	}
	if err != nil || broken != 0 || !cmp.Equal(got, want) {
		t.Errorf("%v, %d broken\n%s", err, broken, cmp.Diff(want, got))
	}
	items, err := r.dir.Held(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range items {
		if i.Purpose == local.Unregistered {
			t.Errorf("%s is registered by nobody", i.Name)
		}
	}
}

func TestAPermissionIsAskedOnceAndWhenItIsUsed(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	asked := 0
	answer := func(granted bool) func(Permission) (bool, error) {
		return func(p Permission) (bool, error) {
			asked++
			if p.Purpose.English == "" || p.Purpose.Chinese == "" {
				t.Errorf("%s is asked for without its purpose", p.ID)
			}
			return granted, nil
		}
	}
	for _, p := range Permissions() {
		asked = 0
		if err := r.Use(p.ID, BuiltIn, nil); !errors.Is(err, ErrPermissionUnasked) {
			t.Errorf("%s, nobody to ask: got %v", p.ID, err)
		}
		dismissed := errors.New("the window was closed")
		if err := r.Use(p.ID, BuiltIn, func(Permission) (bool, error) { return true, dismissed }); !errors.Is(err, dismissed) {
			t.Errorf("%s, dismissed: got %v", p.ID, err)
		}
		for range 3 {
			if err := r.again().Use(p.ID, BuiltIn, answer(false)); !errors.Is(err, ErrPermissionRefused) {
				t.Errorf("%s, refused: got %v", p.ID, err)
			}
		}
		if asked != 1 {
			t.Errorf("%s was asked for %d times, want once", p.ID, asked)
		}
		for _, other := range Permissions() {
			if other.ID == p.ID {
				continue
			}
			if err := r.Use(other.ID, BuiltIn, func(Permission) (bool, error) { return false, dismissed }); !errors.Is(err, dismissed) && !errors.Is(err, ErrPermissionRefused) && err != nil {
				t.Errorf("%s stopped with %s: %v", other.ID, p.ID, err)
			}
		}
		if err := r.Answer(p.ID, true); err != nil {
			t.Fatal(err)
		}
		if err := r.Use(p.ID, BuiltIn, answer(false)); err != nil || asked != 1 {
			t.Errorf("%s, granted by the person: got %v, asked %d times", p.ID, err, asked)
		}
	}
	if err := r.dir.Replace(answersFile, []byte("null")); err != nil {
		t.Fatal(err)
	}
	if err := r.Use(Network, BuiltIn, answer(true)); !errors.Is(err, ErrBroken) {
		t.Errorf("answers that cannot be read: got %v", err)
	}
}

func TestWhatThePolicyDoesNotNameIsNotAskedFor(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	never := func(Permission) (bool, error) {
		t.Error("asked")
		return true, nil
	}
	for _, id := range []string{"contacts", "location", "", "Network"} {
		if err := r.Use(id, BuiltIn, never); !errors.Is(err, ErrPermissionUnnamed) {
			t.Errorf("%q: got %v", id, err)
		}
		if err := r.Answer(id, true); !errors.Is(err, ErrPermissionUnnamed) {
			t.Errorf("%q: got %v", id, err)
		}
	}
	r.offer(t, published("1.0.0", "major", day)) // names none
	if err := r.Use(Updates, server, never); !errors.Is(err, ErrPermissionUnnamed) {
		t.Errorf("the operator's text does not name it: got %v", err)
	}
	if err := r.Use(Updates, "server:nobody:1", never); !errors.Is(err, ErrUnknown) {
		t.Errorf("nobody's text: got %v", err)
	}
}

var boldRun = regexp.MustCompile(`\*\*([^*]+)\*\*`)

// TestThePolicyNamesThePermissionsOfTheProgram holds TY-2.7b: the table of the
// program and the text are the same list.
func TestThePolicyNamesThePermissionsOfTheProgram(t *testing.T) {
	t.Parallel()
	for _, x := range OwnText().Texts {
		var named, have []string
		for _, p := range strings.Split(x.Body, "\n\n") {
			if strings.HasPrefix(p, "[TY-2.6]") || strings.HasPrefix(p, "[TY-2.7 TY-2.7b]") {
				for _, m := range boldRun.FindAllStringSubmatch(p, -1) {
					named = append(named, m[1])
				}
			}
		}
		for _, p := range Permissions() {
			have = append(have, p.Name.In(x.Locale))
			for _, w := range []Words{p.Name, p.Purpose, p.Asked, p.Refused} {
				if w.In(x.Locale) == "" {
					t.Errorf("%s has an empty text in %s", p.ID, x.Locale)
				}
			}
		}
		if !cmp.Equal(named, have) {
			t.Errorf("%s: %s", x.Locale, cmp.Diff(named, have))
		}
	}
}

func TestEmphasisReachesTheScreen(t *testing.T) {
	t.Parallel()
	for _, x := range OwnText().Texts {
		want := boldRun.FindAllStringSubmatch(x.Body, -1)
		if len(want) < 5 {
			t.Fatalf("%s: %d bold runs", x.Locale, len(want))
		}
		shown := Plain(x.Body, func(s string) string { return "\x1b[1m" + s + "\x1b[0m" })
		for _, m := range want {
			if !strings.Contains(shown, "\x1b[1m"+m[1]+"\x1b[0m") {
				t.Errorf("%s: %q lost its emphasis", x.Locale, m[1])
			}
		}
		if strings.Contains(shown, "**") || strings.Contains(shown, "[TY-") {
			t.Errorf("%s: marks of the source are shown", x.Locale)
		}
	}
}

// linked are the modules of some packages on a system, as the build will have them.
func linked(t *testing.T, system string, patterns ...string) map[string]string {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-deps", "-f", "{{with .Module}}{{.Path}} {{.Version}}{{end}}"}, patterns...)...)
	cmd.Env = append(os.Environ(), "GOOS="+system, "CGO_ENABLED=0")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{"std": ""}
	for line := range strings.Lines(string(out)) {
		path, version, _ := strings.Cut(strings.TrimSpace(line), " ")
		if path != "" && path != "github.com/skybridge-cloud/skybridge" {
			all[path] = version
		}
	}
	return all
}

// TestEveryComponentIsInTheTable holds TY-2.4 for the packages of the client;
// cmd/skyconnect does so for the whole program.
func TestEveryComponentIsInTheTable(t *testing.T) {
	t.Parallel()
	for _, system := range []string{"linux", "windows", "darwin"} {
		all := linked(t, system, "..", "../local", "../profile", "../keystore", "../trust", "../journal", "../daemon", ".")
		if len(all) < 4 {
			t.Fatalf("%s: only %v are linked", system, all)
		}
		for _, module := range Unreviewed(all) {
			t.Errorf("%s: %s has no row in components.yaml", system, module)
		}
	}
}

func TestAnUnreviewedComponentIsShownAsSuch(t *testing.T) {
	t.Parallel()
	all := Components(map[string]string{"example.org/spy": "v1.0.0", "std": "go1.26"})
	if got := Unreviewed(map[string]string{"example.org/spy": "v1.0.0", "std": ""}); !cmp.Equal(got, []string{"example.org/spy"}) {
		t.Errorf("got %v", got)
	}
	for locale, want := range map[string]string{"en": "| example.org/spy | not registered |", "zh-CN": "| example.org/spy | 未登记 |", "fr": "名称"} {
		if table := Table(all, locale); !strings.Contains(table, want) || strings.Count(table, "\n") != 4 {
			t.Errorf("%s: got\n%s", locale, table)
		}
	}
	for _, c := range Registry() {
		if c.Module == "" || c.Name == "" || c.Purpose.English == "" || c.Purpose.Chinese == "" || c.Access.English == "" || c.Access.Chinese == "" || c.Developer == "" || !strings.HasPrefix(c.Link, "https://") {
			t.Errorf("%s: a column is empty", c.Module)
		}
	}
	if Linked()["std"] == "" {
		t.Error("this program does not know what is linked into it")
	}
}

func TestActsOfManyProcessesAreAllKept(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if _, err := r.again().Record(Accept, OwnText(), "zh-CN"); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if all, broken, err := r.Receipts(); err != nil || len(all) != 20 || broken != 0 {
		t.Errorf("got %d, %d broken, %v", len(all), broken, err)
	}
}

func FuzzReceipt(f *testing.F) {
	f.Add([]byte(`{"act":"accept","scope":"builtin","version":"1.0.0","sha256":"` + strings.Repeat("0", 64) + `","locale":"en","at":"2026-01-01T00:00:00Z"}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		r, ok := parseReceipt(line)
		if ok && (r.Scope == "" || len(r.SHA256) != 64) {
			t.Errorf("got %+v", r)
		}
		refused, _ := decide(r, OwnText())
		if !ok {
			return
		}
		if r.Act != Accept && refused == nil {
			t.Errorf("%+v accepts", r)
		}
	})
}
