package window

import (
	"bytes"
	"image"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gioui.org/io/key"
)

// First run: nothing but the policy is asked for, and nothing is shown, until the
// person accepts.
func TestNothingHappensBeforeThePolicyIsAccepted(t *testing.T) {
	d := newDemo(t, English)
	d.view = View{Policy: PolicyPending}
	r := newRig(t, english, d)
	r.see("How old are you?")
	r.press("18 or older")
	r.see("Skybridge VPN access privacy policy")
	r.press("Decline")
	r.see("You declined the policy")
	r.press("Read the policy again")
	for _, c := range d.all() {
		if !strings.HasPrefix(c, "policy ") {
			t.Errorf("before the policy was accepted the window asked for %q", c)
		}
	}
	r.press("Accept and go on")
	r.see("No connection yet")
	if !d.did("accept 1.0.0 guardian=false") {
		t.Errorf("the act was not recorded: %q", d.all())
	}
}

func TestAMinorAcceptsWithAGuardian(t *testing.T) {
	d := newDemo(t, English)
	d.view = View{Policy: PolicyPending}
	r := newRig(t, english, d)
	r.see("How old are you?")
	r.press("Under 18")
	r.see("7 Minors")
	if _, ok := r.pressable("Accept and go on"); ok {
		t.Fatal("a minor may accept without a guardian")
	}
	r.press("A guardian has read this policy with me")
	r.press("Accept and go on")
	r.see("No connection yet")
	if !d.did("accept 1.0.0 guardian=true") {
		t.Errorf("the act was not recorded: %q", d.all())
	}
}

func TestWhoIsTooYoungGoesNoFurther(t *testing.T) {
	d := newDemo(t, English)
	d.view = View{Policy: PolicyPending}
	for l, p := range d.policy {
		p.LeastAge = 16
		d.policy[l] = p
	}
	r := newRig(t, english, d)
	r.see("16 or older, but under 18")
	r.press("Under 16")
	r.see("You cannot use the client yet")
	if _, ok := r.pressable("Accept and go on"); ok {
		t.Error("who is too young may accept")
	}
}

// A new major version blocks everything but the person's rights.
func TestANewMajorVersionBlocksUntilAccepted(t *testing.T) {
	d := newDemo(t, English)
	d.view.Policy = PolicyRenewal
	r := newRig(t, english, d)
	r.see("Session records are kept for six calendar months")
	for _, name := range []string{"Connect", "Connections", "Settings"} {
		if _, ok := r.pressable(name); ok {
			t.Errorf("%q can be pressed before the new version is accepted", name)
		}
	}
	r.press("What is stored on this device")
	r.see("/home/li/.config")
	r.press("Back")
	r.see("Read the whole policy")
	r.press("Accept and go on")
	r.see("Shanghai office")
}

func TestLoginAsksAgainAfterAWrongPassword(t *testing.T) {
	d := newDemo(t, English)
	r := newRig(t, english, d)
	home(r)
	r.login()
	r.write("wrong")
	r.key(key.NameReturn)
	r.see("login refused")
	r.write(d.password)
	r.key(key.NameReturn)
	r.see("Six digits")
	r.write("123456")
	r.key(key.NameReturn)
	r.until("the tunnel", func() bool { return r.ui.connection().State == Connected })
	if !d.did("code 123456") {
		t.Errorf("the code did not arrive: %q", d.all())
	}
	r.press("Disconnect")
	r.until("the end", func() bool { return r.ui.connection().State == Disconnected })
}

// A password is in one place while it is typed and nowhere after.
func TestThePasswordIsOverwritten(t *testing.T) {
	d := newDemo(t, English)
	d.password = "tr0mbone-canary"
	r := newRig(t, english, d)
	home(r)
	r.login()
	var typed *secret
	for _, s := range r.ui.secrets {
		typed = s
	}
	r.write(d.password)
	if got := string(typed.typed[:typed.n]); got != d.password {
		t.Fatalf("typed %q, want %q", got, d.password)
	}
	if r.sees(d.password) {
		t.Error("the password is shown")
	}
	r.key(key.NameReturn)
	r.see("Six digits")
	if bytes.Contains(typed.typed[:], []byte("canary")) {
		t.Error("the password is still where it was typed")
	}
	for _, a := range d.answers {
		if p := a["password"]; len(p) > 0 && !bytes.Equal(p, make([]byte, len(p))) {
			t.Error("the password is still in the answer")
		}
	}
}

func TestThePasswordCanBePastedAndNotCopied(t *testing.T) {
	d := newDemo(t, English)
	r := newRig(t, english, d)
	home(r)
	r.login()
	var typed *secret
	for _, s := range r.ui.secrets {
		typed = s
	}
	typed.paste(readCloser{strings.NewReader("correct horse\nsecond line")})
	if got := string(typed.typed[:typed.n]); got != "correct horse" {
		t.Errorf("pasted %q", got)
	}
	for _, name := range []key.Name{"A", "C", "X"} {
		r.router.Queue(key.Event{Name: name, Modifiers: key.ModShortcut, State: key.Press})
		r.settle()
	}
	if _, content, ok := r.router.WriteClipboard(); ok {
		t.Errorf("the clipboard was given %q", content)
	}
	typed.backspace()
	if typed.n != len("correct hors") || typed.typed[typed.n] != 0 {
		t.Errorf("after a backspace %q is left", typed.typed[:typed.n+1])
	}
}

type readCloser struct{ *strings.Reader }

func (readCloser) Close() error { return nil }

func TestEscapeClosesTheLoginUnanswered(t *testing.T) {
	d := newDemo(t, English)
	r := newRig(t, english, d)
	home(r)
	r.login()
	r.key(key.NameEscape)
	r.until("the end of the attempt", func() bool { return len(r.ui.attempts) == 0 && r.ui.connection().State == Disconnected })
	if len(r.ui.dialogs) != 0 || r.ui.trouble["lab"] != nil {
		t.Errorf("left are %d dialogs and %v", len(r.ui.dialogs), r.ui.trouble["lab"])
	}
}

func TestAProfileIsAddedByLinkAndByLockedFile(t *testing.T) {
	d := newDemo(t, English)
	r := newRig(t, english, d)
	home(r)
	r.press("Add a connection")
	r.write("https://console.example.com/bundle#token")
	r.key(key.NameReturn)
	r.see("New site")
	if !d.did("import https://console.example.com/bundle#token") {
		t.Errorf("imported was %q", d.all())
	}

	if err := os.WriteFile(r.ui.opt.Home+"/plant.zip", []byte("locked bundle"), 0o600); err != nil {
		t.Fatal(err)
	}
	r.press("Add a connection")
	r.press("Choose a bundle file")
	r.see("plant.zip")
	r.press("plant.zip")
	r.see("This bundle is locked")
	r.write("wrong")
	r.key(key.NameReturn)
	r.see("The passphrase is not right")
	r.write("open sesame")
	r.key(key.NameReturn)
	r.until("the end of the dialog", func() bool { return len(r.ui.dialogs) == 0 })
}

func TestAProfileIsRemovedAfterAQuestion(t *testing.T) {
	d := newDemo(t, English)
	r := newRig(t, english, d)
	home(r)
	r.openConnection("gz")
	r.press("Remove")
	r.see("Its settings, certificate and key are deleted")
	r.key(key.NameEscape)
	if d.did("remove gz") {
		t.Fatal("Escape removed the profile")
	}
	r.press("Remove")
	r.press("Remove")
	r.gone("Guangzhou plant")
}

func TestEverythingIsErasedOnlyAfterTheWord(t *testing.T) {
	d := newDemo(t, English)
	r := newRig(t, english, d)
	r.visit(pageData)
	r.see("/home/li/.config")
	r.press("Erase everything")
	r.write("eras")
	r.key(key.NameReturn)
	if d.did("erase") {
		t.Fatal("erased before the word was typed")
	}
	r.write("e")
	r.key(key.NameReturn)
	r.see("How old are you?")
	if !d.did("erase") {
		t.Error("nothing was erased")
	}
}

func TestThePolicyIsWithdrawn(t *testing.T) {
	d := newDemo(t, English)
	r := newRig(t, english, d)
	r.visit(pagePolicy)
	r.see("Skybridge VPN access privacy policy")
	r.press("Withdraw acceptance")
	r.see("All connections close")
	r.press("Withdraw acceptance")
	r.see("You withdrew your acceptance")
}

// From every screen the policy is at most four presses away; it is two.
func TestThePolicyIsNear(t *testing.T) {
	for _, l := range variants() {
		if l.language != English || l.theme != ThemeLight {
			continue
		}
		for _, from := range places {
			d := newDemo(t, English)
			r := newRig(t, l, d)
			r.visit(from.page)
			steps := 0
			for _, name := range []string{"Menu", "Privacy policy"} {
				if _, ok := r.pressable(name); ok {
					r.press(name)
					steps++
				}
			}
			r.see("If you are under 18")
			if steps > 4 {
				t.Errorf("%s: %d steps from %s", l.name, steps, from.key)
			}
		}
	}
}

func TestSettingsTakeEffectAtOnce(t *testing.T) {
	d := newDemo(t, English)
	r := newRig(t, english, d)
	r.visit(pageSettings)
	r.press("中文")
	r.see("外观")
	r.press("深色")
	r.until("the dark theme", func() bool { return r.ui.look == &dark })
	r.press("访问本地网络")
	r.until("the setting", func() bool { return d.stored().LocalLAN })
	if got := d.stored(); got.Language != Chinese || got.Theme != ThemeDark {
		t.Errorf("stored are %+v", got)
	}
}

func (d *demo) stored() Settings {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.settings
}

func TestASettingThatCannotBeStoredGoesBack(t *testing.T) {
	d := newDemo(t, English)
	r := newRig(t, english, d)
	r.visit(pageSettings)
	d.mu.Lock()
	d.failing = &Problem{Code: "store.full", Cause: "The disk is full."}
	d.mu.Unlock()
	r.press("Use UDP where it works")
	r.see("The disk is full.")
	if !r.ui.settings.DTLS {
		t.Error("the switch shows what was not stored")
	}
}

func TestAPermissionIsRefused(t *testing.T) {
	d := newDemo(t, English)
	r := newRig(t, english, d)
	r.visit(pageRights)
	r.see("Install an update")
	r.press("Install an update")
	r.until("the permission", func() bool { return d.did("permission install true") })
}

func TestFilesAreExported(t *testing.T) {
	d := newDemo(t, English)
	r := newRig(t, english, d)
	r.visit(pageLog)
	r.press("Export")
	r.see("skyconnect-log.txt")
	r.visit(pageData)
	r.press("Export a copy")
	r.see("skyconnect-data.zip")
	r.visit(pageDoctor)
	r.press("Run diagnosis")
	r.see("What to do: Turn on automatic time")
	r.press("Save report")
	r.see("skyconnect-doctor.json")
}

func TestTheLogIsFiltered(t *testing.T) {
	d := newDemo(t, English)
	r := newRig(t, english, d)
	r.visit(pageLog)
	r.see("service started")
	r.press("Important")
	r.gone("service started")
	r.see("no route to host")
}

// What is pressed with the mouse is reached and pressed with the keyboard too.
func TestTheKeyboardReachesTheConnectButton(t *testing.T) {
	d := newDemo(t, English)
	r := newRig(t, english, d)
	home(r)
	r.openConnection("lab")
	for range 40 {
		r.tab()
		if r.router.Source().Focused(r.ui.clickable("connect:hero:lab")) {
			break
		}
	}
	r.key(key.NameReturn)
	r.see("Sign in to")
}

// While a dialog is open, Tab stays in it.
func TestTabStaysInADialog(t *testing.T) {
	d := newDemo(t, English)
	r := newRig(t, english, d)
	home(r)
	r.login()
	for range 20 {
		r.tab()
		for key, c := range r.ui.clicks {
			if r.router.Source().Focused(c) && !strings.HasPrefix(key, "login") {
				t.Fatalf("the focus left the dialog for %s", key)
			}
		}
	}
}

// All that can be pressed or filled in is reached by Tab, also what has to be scrolled
// to, and what has the focus is drawn so.
func TestTabReachesEverything(t *testing.T) {
	for _, p := range append(places, place{page: pageConnection}) {
		r := newRig(t, english, newDemo(t, English))
		if p.page == pageConnection {
			home(r)
			r.openConnection("sh")
		} else {
			r.visit(p.page)
			u := r.ui
			come := map[page]func() bool{
				pageData:   func() bool { return u.held.state == ready && u.receipts.state == ready },
				pageRights: func() bool { return u.rights.state == ready && u.parts.state == ready },
				pageLog:    func() bool { return u.log.lines.state == ready },
				pagePolicy: func() bool { return u.policy.state == ready },
			}[p.page]
			r.until("what the page shows", func() bool { return come == nil || come() })
		}
		clear(r.ui.clicks)
		clear(r.ui.editors)
		r.settle()
		reached, first := map[string]bool{}, ""
		for range 150 {
			r.router.MoveFocus(key.FocusForward)
			r.router.RevealFocus(image.Rectangle{Max: r.size})
			r.settle()
			name := r.focused()
			if first == "" {
				first = name
			} else if name == first {
				break
			}
			reached[name] = true
		}
		if len(reached) < len(places) {
			t.Errorf("page %d: Tab reaches only %v", p.page, reached)
		}
		for name := range r.ui.clicks {
			if !reached[name] {
				t.Errorf("page %d: Tab does not reach %s", p.page, name)
			}
		}
		for name := range r.ui.editors {
			if !reached[name] {
				t.Errorf("page %d: Tab does not reach the input %s", p.page, name)
			}
		}
	}
}

// focused names what has the focus.
func (r *rig) focused() string {
	for name, c := range r.ui.clicks {
		if r.router.Source().Focused(c) {
			return name
		}
	}
	for name, e := range r.ui.editors {
		if r.router.Source().Focused(e) {
			return name
		}
	}
	return ""
}

// What opened a dialog has the keys again when it is gone.
func TestTheFocusReturnsFromADialog(t *testing.T) {
	r := newRig(t, english, newDemo(t, English))
	home(r)
	r.press(r.ui.say("add"))
	r.see(r.ui.say("add.title"))
	r.key(key.NameEscape)
	r.until("the focus", func() bool { return r.router.Source().Focused(r.ui.clickable("add")) })
}

// TY-2.6: the permission is asked for just before a release is installed.
func TestAnUpdateIsTakenWhenThePersonSaysSo(t *testing.T) {
	d := newDemo(t, English)
	r := newRig(t, english, d)
	r.visit(pageAbout)
	r.press(r.ui.say("update.find"))
	r.see("v1.1.0 is available")
	r.press(r.ui.say("update.install"))
	r.see("to renew")
	r.press(r.ui.say("ask.refuse"))
	r.until("the button again", func() bool { return !r.ui.renewal.busy })
	if slices.Contains(d.all(), "install update") {
		t.Error("installed in spite of the refusal")
	}
	r.press(r.ui.say("update.install"))
	r.see("to renew")
	r.press(r.ui.say("ask.allow"))
	r.see("restart the service")
	if !slices.Contains(d.all(), "install update") {
		t.Errorf("got %v", d.all())
	}
}

func TestTheServiceIsRestartedAfterAnUpdate(t *testing.T) {
	d := newDemo(t, English)
	d.view.Renewed = true
	r := newRig(t, english, d)
	home(r)
	r.see(r.ui.say("about.renewed"))
	r.press(r.ui.say("update.restart"))
	r.see("the service runs v1.1.0")
	if !slices.Contains(d.all(), "restart") {
		t.Errorf("got %v", d.all())
	}
	r.see(r.ui.say("update.find"))
}

func TestACopyGoesToTheClipboard(t *testing.T) {
	d := newDemo(t, English)
	r := newRig(t, english, d)
	home(r)
	r.openConnection("sh")
	r.press("Copy: Inner addresses")
	_, content, ok := r.router.WriteClipboard()
	if !ok || string(content) != "10.8.0.23/24\n2001:db8:8:1::17/64" {
		t.Errorf("the clipboard was given %q, %t", content, ok)
	}
}

func TestBothLanguagesHaveTheSameWords(t *testing.T) {
	all := catalogs()
	holes := regexp.MustCompile(`\{\w+\}`)
	for key, zh := range all[Chinese] {
		en, ok := all[English][key]
		if !ok {
			t.Errorf("%s is not in English", key)
			continue
		}
		a, b := holes.FindAllString(zh, -1), holes.FindAllString(en, -1)
		slices.Sort(a)
		slices.Sort(b)
		if !slices.Equal(a, b) {
			t.Errorf("%s has %v in Chinese and %v in English", key, a, b)
		}
	}
	for key := range all[English] {
		if _, ok := all[Chinese][key]; !ok {
			t.Errorf("%s is not in Chinese", key)
		}
	}
}

// Every word that the code asks for exists, and every word is asked for.
func TestWordsAndCodeAgree(t *testing.T) {
	said := regexp.MustCompile(`"([a-z]+(\.[a-z]+)*)"`)
	prefixes := []string{"error.", "receipt."} // made of codes at run time
	used := map[string]bool{}
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	asked := regexp.MustCompile(`u\.say\("([a-z.]+[a-z])"`)
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".go") || strings.HasSuffix(f.Name(), "_test.go") {
			continue
		}
		b, err := os.ReadFile(f.Name())
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range said.FindAllStringSubmatch(string(b), -1) {
			used[m[1]] = true
		}
		for _, m := range asked.FindAllStringSubmatch(string(b), -1) {
			if _, ok := catalogs()[English][m[1]]; !ok {
				t.Errorf("%s says %q, which has no words", f.Name(), m[1])
			}
		}
	}
	for key := range catalogs()[English] {
		if !used[key] && !slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(key, p) }) {
			t.Errorf("nothing says %q", key)
		}
	}
}

// There is no way in the window to register or to reset a password: its backend
// has no such act, and it says who has (TY-2.1, TY-2.3).
func TestThereIsNoRegistrationAndNoReset(t *testing.T) {
	d := newDemo(t, English)
	r := newRig(t, english, d)
	r.visit(pageAbout)
	r.see("ask your administrator")
	for _, n := range r.names() {
		if regexp.MustCompile(`(?i)sign.?up|register|reset|forgot`).MatchString(n) {
			t.Errorf("there is %s", n)
		}
	}
}

// Han text breaks anywhere but before closing and after opening marks.
func TestLinesBreakWhereTheyMay(t *testing.T) {
	for _, c := range []struct {
		a, b rune
		want bool
	}{
		{'云', '桥', true}, {'云', '，', false}, {'《', '云', false}, {'a', 'b', false}, {' ', 'b', true}, {'a', '云', true}, {'a', ' ', false},
	} {
		if got := breakable(c.a, c.b); got != c.want {
			t.Errorf("breakable(%q, %q) = %t, want %t", c.a, c.b, got, c.want)
		}
	}
}

func TestBoldIsKept(t *testing.T) {
	all := read("# Head\n\nplain **bold 云桥** plain\n\n1. one\n2. **two**\n\n| a | b |\n|---|---|\n| 1 | 2 |\n")
	if len(all) != 5 || all[0].heading != 1 || !all[1].spans[1].bold || all[1].spans[0].bold || all[3].marker != "2." || !all[3].spans[0].bold {
		t.Fatalf("read %+v", all)
	}
	if got := all[4].plain(); got != "a: 1; b: 2" {
		t.Errorf("a row of a table is %q", got)
	}
}

func TestAmounts(t *testing.T) {
	for in, want := range map[float64]string{0: "0 B", 999: "999 B", 1000: "1.00 kB", 1_284_000_000: "1.28 GB", 96_400_000: "96.4 MB", 999_900: "1.00 MB"} {
		if got := bytesOf(in); got != want {
			t.Errorf("%v is %q, want %q", in, got, want)
		}
	}
}

// TestAServerIsTypedIn, by keyboard alone.
func TestAServerIsTypedIn(t *testing.T) {
	d := newDemo(t, English)
	r := newRig(t, english, d)
	home(r)
	r.press("Add a connection")
	r.press("No link and no file: type it in")
	r.write("Lab")
	r.tab()
	r.write("vpn.example.org")
	r.tab()
	r.write("ann")
	r.key(key.NameReturn)
	r.until("it was added", func() bool { return d.did("add Lab vpn.example.org ann ") })
	r.see("Lab")
}

func FuzzRead(f *testing.F) {
	f.Add("# a\n\n**b** c\n\n- d\n  - e\n\n> f\n\n| a |\n|---|\n| b |\n")
	f.Fuzz(func(_ *testing.T, document string) { read(document) })
}
