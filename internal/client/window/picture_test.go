package window

import (
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gioui.org/gpu/headless"
	"gioui.org/io/input"
	"gioui.org/io/semantic"
)

// screens brings a rig to each screen of the window.
var screens = []struct {
	name  string
	start func(*demo)
	reach func(*rig)
}{
	{"age", func(d *demo) { d.view = View{Policy: PolicyPending} }, func(r *rig) { r.see(r.ui.say("age.title")) }},
	{"policy", func(d *demo) { d.view = View{Policy: PolicyPending} }, func(r *rig) {
		r.see(r.ui.say("age.title"))
		r.press(r.ui.say("age.adult", "n", "18"))
	}},
	{"minor", func(d *demo) { d.view = View{Policy: PolicyPending} }, func(r *rig) {
		r.see(r.ui.say("age.title"))
		r.press(r.ui.say("age.minor", "n", "18"))
	}},
	{"declined", func(d *demo) { d.view = View{Policy: PolicyPending} }, func(r *rig) {
		r.see(r.ui.say("age.title"))
		r.press(r.ui.say("age.adult", "n", "18"))
		r.press(r.ui.say("decline"))
	}},
	{"renewal", func(d *demo) { d.view.Policy = PolicyRenewal }, func(r *rig) { r.see(r.ui.say("renewal.title")) }},
	{"withdrawn", func(d *demo) { d.view.Policy = PolicyWithdrawn }, func(r *rig) { r.see(r.ui.say("withdrawn.title")) }},
	{"trouble", func(d *demo) { d.view = View{Trouble: &Problem{Code: "daemon.unreachable"}} }, func(r *rig) { r.see("daemon.unreachable") }},
	{"empty", func(d *demo) { d.view.Profiles = nil }, func(r *rig) { r.see(r.ui.say("empty.title")) }},
	{"list", nil, home},
	{"connected", nil, func(r *rig) { home(r); r.openConnection("sh") }},
	{"disconnected", nil, func(r *rig) { home(r); r.openConnection("lab") }},
	{"failed", nil, func(r *rig) { home(r); r.openConnection("gz") }},
	{"connecting", func(d *demo) {
		d.view.Profiles[1].State, d.view.Profiles[1].Step = Connecting, map[string]string{English: "Setting up the tunnel", Chinese: "正在建立隧道"}[d.settings.Language]
	}, func(r *rig) { home(r); r.openConnection("lab") }},
	{"login", nil, func(r *rig) { home(r); r.login() }},
	{"login-wrong", nil, func(r *rig) {
		home(r)
		r.login()
		r.write("wrong")
		r.press(r.ui.say("login.go"))
		r.see("login refused")
	}},
	{"login-code", nil, func(r *rig) {
		home(r)
		r.login()
		r.write(r.demo.password)
		r.press(r.ui.say("login.go"))
		r.see(r.ui.say("login.code.about"))
	}},
	{"add", nil, func(r *rig) { home(r); r.press(r.ui.say("add")) }},
	{"add-hand", nil, func(r *rig) {
		home(r)
		r.press(r.ui.say("add"))
		r.press(r.ui.say("add.hand"))
		r.see(r.ui.say("hand.server"))
	}},
	{"paused", func(d *demo) {
		d.set("sh", func(c *Connection) { c.State, c.Trusted = Paused, "corp.example.com" })
	}, func(r *rig) { home(r); r.openConnection("sh"); r.see(r.ui.say("state.paused")) }},
	{"add-file", nil, func(r *rig) {
		for _, name := range []string{"shanghai.zip", "guangzhou.skyconnect", "notes.txt"} {
			if err := os.WriteFile(filepath.Join(r.ui.opt.Home, name), []byte("x"), 0o600); err != nil {
				r.t.Fatal(err)
			}
		}
		_ = os.Mkdir(filepath.Join(r.ui.opt.Home, "Documents"), 0o700)
		home(r)
		r.press(r.ui.say("add"))
		r.press(r.ui.say("add.file"))
		r.see("shanghai.zip")
		// The directory of a test is not a thing for pictures.
		r.until("the listing", func() bool { return r.ui.dialogs[0].key == "import" })
	}},
	{"remove", nil, func(r *rig) { home(r); r.openConnection("lab"); r.press(r.ui.say("remove")) }},
	{"notices", nil, func(r *rig) { r.visit(pageNotices) }},
	{"log", nil, func(r *rig) { r.visit(pageLog); r.see("service started") }},
	{"doctor-empty", nil, func(r *rig) { r.visit(pageDoctor) }},
	{"doctor", nil, func(r *rig) {
		r.visit(pageDoctor)
		r.press(r.ui.say("doctor.start"))
		r.see(r.ui.say("doctor.export"))
	}},
	{"data", nil, func(r *rig) { r.visit(pageData); r.see("/home/li/.config") }},
	{"erase", nil, func(r *rig) { r.visit(pageData); r.see("/home/li/.config"); r.press(r.ui.say("erase")) }},
	{"rights", nil, func(r *rig) {
		r.visit(pageRights)
		r.see("Gio")
		r.until("the permissions", func() bool { return r.ui.rights.state == ready })
	}},
	{"settings", nil, func(r *rig) { r.visit(pageSettings) }},
	{"about", func(d *demo) {
		d.view.Update = &Update{Version: "1.1.0", Notes: map[string]string{English: "Quicker reconnect after sleep.", Chinese: "休眠后重连更快。"}[d.settings.Language]}
	}, func(r *rig) { r.visit(pageAbout) }},
	{"renewed", func(d *demo) { d.view.Renewed = true }, func(r *rig) { r.visit(pageAbout); r.see(r.ui.say("update.restart")) }},
	{"update", nil, func(r *rig) {
		r.visit(pageAbout)
		r.press(r.ui.say("update.find"))
		r.see(r.ui.say("update.install"))
		r.press(r.ui.say("update.install"))
		r.see(r.ui.say("ask.permission", "name", "install updates"))
	}},
	{"signer", nil, func(r *rig) {
		home(r)
		r.ui.start(func() {
			_, _ = r.demo.attendant(r.ui.ctx, Form{Confirm: &Confirmation{
				Title: map[string]string{English: "Another signer than before", Chinese: "签名者与以往不同"}[r.ui.language()], Act: map[string]string{English: "Take the new signer", Chinese: "接受新的签名者"}[r.ui.language()],
				About: map[string]string{
					English: "The profiles of this server were signed by another key so far. Ask your administrator, by telephone or in person, to read the new signer to you, and take it only if every character is the same.",
					Chinese: "该服务器以往的配置由另一把密钥签名。请通过电话或当面请管理员念出新的签名者，每个字符都一致时才可接受。",
				}[r.ui.language()],
				Facts: []Fact{{"1", "ed25519:0b2f6b1668dc3672c90e8a7d237804ad"}, {"2", "ed25519:cf132286909a4249541418e4e8eef4f6"}},
			}})
		})
		r.see("ed25519:cf13")
	}},
	{"passphrase", nil, func(r *rig) {
		home(r)
		r.ui.start(func() {
			_, _ = r.demo.attendant(r.ui.ctx, Form{Title: "Keys", Message: "-", Fields: []FormField{{Name: "a", Kind: Password, Label: "1"}, {Name: "b", Kind: Password, Label: "2"}}})
		})
		r.see(r.ui.say("go.on"))
	}},
	{"reading", nil, func(r *rig) { r.visit(pagePolicy); r.see("skyconnect") }},
	{"menu", nil, func(r *rig) {
		home(r)
		if r.narrow() {
			r.press(r.ui.say("menu.open"))
		}
	}},
}

func home(r *rig) {
	r.t.Helper()
	r.until("the first view", func() bool { return r.ui.view.Policy == PolicyAccepted })
	r.settle()
}

func (r *rig) narrow() bool { return float32(r.size.X)/r.scale < float32(narrow) }

// visit goes to a place as a person does.
func (r *rig) visit(p page) {
	r.t.Helper()
	home(r)
	if r.narrow() {
		r.press(r.ui.say("menu.open"))
	}
	for _, place := range places {
		if place.page == p {
			r.press(r.ui.say(place.key))
		}
	}
	r.until("the page", func() bool { return r.ui.page == p })
}

func (r *rig) openConnection(id string) {
	r.t.Helper()
	r.press(r.ui.say("open.what", "what", r.ui.nameOf(id)))
	r.until("the connection", func() bool { return r.ui.chosen == id })
}

func (r *rig) login() {
	r.t.Helper()
	r.openConnection("lab")
	r.press(r.ui.say("connect"))
	r.see(r.ui.say("login.forgotten"))
}

// variants are the looks of every screen. Dark has the places of light: it is
// looked at where it is drawn.
func variants() (all []look) {
	for _, language := range []string{Chinese, English} {
		for _, theme := range []Theme{ThemeLight, ThemeDark} {
			for _, l := range []look{
				{"wide", image.Pt(1080, 720), 1, language, theme},
				{"narrow", image.Pt(720, 1280), 2, language, theme}, // 360 by 640: as small as it gets
			} {
				if theme == ThemeLight || l.drawn() {
					all = append(all, l)
				}
			}
		}
	}
	return all
}

// drawn tells whether the screens are drawn in a look, and not only laid out: the
// processor draws here, and takes its time. make screenshots draws all.
func (l look) drawn() bool {
	return os.Getenv("E2E_LOOKS") == "all" || l.name == "wide" && l.language == Chinese && l.theme == ThemeLight ||
		l.name == "narrow" && l.language == English && l.theme == ThemeDark
}

// Every screen in every look is read as a screen reader would, and in some looks
// drawn and kept as a picture: no text lies on another or outside of what holds it, and all that
// can be pressed or filled in has a name.
func TestEveryScreenIsWholeAndNamed(t *testing.T) {
	dir := filepath.Join("..", "..", "..", "build", "screenshots")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, l := range variants() {
		camera, err := headless.NewWindow(l.size.X, l.size.Y)
		if err != nil {
			t.Fatalf("drawing without a display: %v; scripts/setup.sh test installs what it takes", err)
		}
		for _, s := range screens {
			t.Run(fmt.Sprintf("%s-%s-%s-%s", s.name, l.language, l.theme, l.name), func(t *testing.T) {
				d := newDemo(t, l.language)
				if s.start != nil {
					s.start(d)
				}
				r := newRig(t, l, d)
				s.reach(r)
				r.settle()
				r.check()
				if !l.drawn() {
					return
				}
				if err := camera.Frame(&r.ops); err != nil {
					t.Fatal(err)
				}
				picture := image.NewRGBA(image.Rectangle{Max: l.size})
				if err := camera.Screenshot(picture); err != nil {
					t.Fatal(err)
				}
				keep(t, filepath.Join(dir, "window-"+filepath.Base(t.Name())+".png"), picture)
			})
		}
		camera.Release()
	}
}

func keep(t *testing.T, path string, picture image.Image) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(f, picture); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// check reads the screen for what must never be.
func (r *rig) check() {
	r.t.Helper()
	all := r.nodes()
	t := byID(all)
	var texts []input.SemanticNode
	dialog := len(r.ui.dialogs) > 0
	for _, n := range all {
		if dialog && !inDialog(t, n) {
			continue
		}
		if n.Desc.Gestures&input.ClickGesture != 0 && !named(t, n) {
			r.t.Errorf("%s at %v has no name", n.Desc.Class, n.Desc.Bounds)
		}
		if n.Desc.Label != "" {
			texts = append(texts, n)
		}
	}
	for i, n := range texts {
		r.inside(t, n)
		a := r.place(n).Intersect(r.visible(t, n))
		for _, o := range texts[i+1:] {
			b := r.place(o).Intersect(r.visible(t, o))
			if common := a.Intersect(b); float32(common.Dx()) > 2*r.scale && float32(common.Dy()) > 5*r.scale {
				r.t.Errorf("%q at %v lies on %q at %v", n.Desc.Label, a, o.Desc.Label, b)
			}
		}
	}
}

// place is where a text is, without the overhang of its glyphs.
func (r *rig) place(n input.SemanticNode) image.Rectangle {
	return n.Desc.Bounds.Inset(int(float32(overhang) * r.scale))
}

// inside tells of a text that is wider than what holds it, and of one so narrow
// that it stands on its head.
func (r *rig) inside(t tree, n input.SemanticNode) {
	b := r.place(n)
	if b.Min.X < 0 || b.Max.X > r.size.X {
		r.t.Errorf("%q at %v is outside of the window", n.Desc.Label, b)
	}
	for p, ok := t[n.ParentID]; ok; p, ok = t[p.ParentID] {
		if a := p.Desc.Bounds; b.Min.X < a.Min.X-1 || b.Max.X > a.Max.X+1 {
			r.t.Errorf("%q at %v is cut at %v", n.Desc.Label, b, a)
			return
		}
	}
	if len([]rune(n.Desc.Label)) > 6 && float32(b.Dx()) < 30*r.scale && float32(b.Dy()) > 60*r.scale {
		r.t.Errorf("%q has no room: %v", n.Desc.Label, b)
	}
}

func inDialog(t tree, n input.SemanticNode) bool {
	for ok := true; ok; n, ok = t[n.ParentID] {
		if strings.HasPrefix(n.Desc.Description, dialogName) {
			return true
		}
	}
	return false
}

// named tells whether a node, or for an input what it lies in, has a name.
func named(t tree, n input.SemanticNode) bool {
	if n.Desc.Description != "" || n.Desc.Label != "" {
		return true
	}
	for p, ok := t[n.ParentID]; ok; p, ok = t[p.ParentID] {
		if p.Desc.Description != "" {
			return true
		}
	}
	return n.Desc.Class == semantic.Unknown && n.Desc.Gestures&input.ScrollGesture != 0
}
