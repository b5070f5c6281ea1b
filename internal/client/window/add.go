package window

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gioui.org/io/event"
)

// maxBundle is as large as a bundle may be; real ones have a few kilobytes.
const maxBundle = 1 << 20

// adding is the dialog that brings a profile in.
type adding struct {
	*dialog
	dir     string // listed when browsing
	browse  bool
	hand    bool // typed in
	entries loaded[[]os.DirEntry]
	file    string // chosen
	bundle  []byte
	locked  bool // a passphrase is asked for
	failed  error
	busy    bool
}

func (u *UI) askImport() {
	a := &adding{dir: u.opt.Home}
	if d := filepath.Join(a.dir, "Downloads"); isDir(d) {
		a.dir = d
	}
	u.editor("import:link").SetText("")
	u.secret("import:passphrase").zero()
	a.dialog = &dialog{
		key: "import", width: 520,
		title:  func() string { return u.say("add.title") },
		blocks: func() []W { return u.importBlocks(a) },
		acts:   func() []W { return u.importActs(a) },
		focus:  func() event.Tag { return u.editor("import:link") },
		closed: func() { u.secret("import:passphrase").zero(); clear(a.bundle) },
	}
	u.show(a.dialog)
}

func isDir(path string) bool {
	s, err := os.Stat(path)
	return err == nil && s.IsDir()
}

func (u *UI) importBlocks(a *adding) []W {
	var ws []W
	if a.failed != nil {
		ws = append(ws, u.problem(a.failed))
	}
	switch {
	case a.browse:
		return append(ws, u.browser(a)...)
	case a.hand:
		return append(ws, u.handBlocks(a)...)
	case a.locked:
		return append(ws, u.soft(u.say("add.locked")),
			u.password("import:passphrase", u.say("add.passphrase"), func() { u.importNow(a) }))
	}
	return append(ws,
		u.soft(u.say("add.about")),
		u.input("import:link", u.say("add.link"), u.say("add.link.hint"), func() { u.importNow(a) }),
		u.orLine,
		u.button("import:browse", plain, iconFolder, u.say("add.file"), func() { u.seek(a) }),
		u.button("import:hand", link, "", u.say("add.hand"), func() { u.byHand(a) }),
	)
}

// byHand is for servers that hand out no bundles, such as ocserv.
func (u *UI) byHand(a *adding) {
	for _, name := range handFields {
		u.editor("hand:" + name).SetText("")
	}
	a.hand, a.failed, a.frames = true, nil, 0
	a.focus = func() event.Tag { return u.editor("hand:name") }
}

var handFields = []string{"name", "server", "account", "group"}

func (u *UI) handBlocks(a *adding) []W {
	add := func() { u.addTyped(a) }
	return []W{
		u.input("hand:name", u.say("hand.name"), "", add),
		u.input("hand:server", u.say("hand.server"), u.say("hand.server.hint"), add),
		u.input("hand:account", u.say("hand.account"), "", add),
		u.input("hand:group", u.say("hand.group"), u.say("hand.group.hint"), add),
	}
}

func (u *UI) typed(name string) string { return strings.TrimSpace(u.editor("hand:" + name).Text()) }

func (u *UI) addTyped(a *adding) {
	t := Typed{Name: u.typed("name"), Server: u.typed("server"), Account: u.typed("account"), Group: u.typed("group")}
	if a.busy || t.Name == "" || t.Server == "" {
		return
	}
	a.busy, a.failed = true, nil
	u.start(func() {
		got, err := u.backend.Add(u.ctx, t)
		u.post(func() { u.imported(a, nil, got, err) })
	})
}

// seek lists files; the keys go on from the top of the list.
func (u *UI) seek(a *adding) {
	a.browse, a.failed, a.frames = true, nil, 0
	a.focus = func() event.Tag { return u.clickable("import:up") }
}

func (u *UI) unseek(a *adding) {
	a.browse, a.hand, a.failed, a.frames = false, false, nil, 0
	a.focus = func() event.Tag { return u.editor("import:link") }
}

// orLine parts two ways.
func (u *UI) orLine(gtx C) D {
	return u.label(style{size: 13, color: u.look.faint}, u.say("or"))(gtx)
}

func (u *UI) importActs(a *adding) []W {
	cancel := u.button("import:cancel", plain, "", u.say("cancel"), func() { u.close(a.dialog) })
	back := u.button("import:back", plain, "", u.say("back"), func() { u.unseek(a) })
	if a.browse {
		return []W{back}
	}
	label, now := u.say("add.go"), func() { u.importNow(a) }
	wanting := !a.locked && u.editor("import:link").Len() == 0
	if a.hand {
		cancel, now = back, func() { u.addTyped(a) }
		wanting = u.typed("name") == "" || u.typed("server") == ""
	}
	if a.busy {
		label = u.say("add.busy")
	}
	add := u.button("import:go", primary, "", label, now)
	if a.busy || wanting {
		ready := add
		add = func(gtx C) D { return ready(gtx.Disabled()) }
	}
	return []W{cancel, add}
}

// browser lists a directory: what to open, and files small enough to be bundles.
func (u *UI) browser(a *adding) []W {
	dir := a.dir
	load(u, &a.entries, func(context.Context) ([]os.DirEntry, error) { return os.ReadDir(dir) })
	up := u.button("import:up", quiet, iconUp, u.say("add.up"), func() { u.into(a, filepath.Dir(a.dir)) })
	ws := []W{u.label(style{size: 13, mono: true, color: u.look.soft}, a.dir), up}
	return append(ws, listed(u, "import", &a.entries, func(all []os.DirEntry) []W { return u.files(a, all) })...)
}

func (u *UI) files(a *adding, all []os.DirEntry) (ws []W) {
	slices.SortStableFunc(all, func(x, y os.DirEntry) int {
		switch {
		case x.IsDir() == y.IsDir():
			return strings.Compare(x.Name(), y.Name())
		case x.IsDir():
			return -1
		default:
			return 1
		}
	})
	for _, e := range all {
		name := e.Name()
		path := filepath.Join(a.dir, name)
		switch {
		case strings.HasPrefix(name, "."):
		case e.IsDir():
			ws = append(ws, wide(u.button("import:dir:"+path, quiet, iconFolder, name, func() { u.into(a, path) })))
		case slices.Contains(bundleNames, strings.ToLower(filepath.Ext(name))):
			ws = append(ws, wide(u.button("import:file:"+path, quiet, iconFile, name, func() { u.importFile(a, path) })))
		}
	}
	if len(ws) == 0 {
		ws = append(ws, u.soft(u.say("add.nothing")))
	}
	return ws
}

// bundleNames are the endings that bundles have.
var bundleNames = []string{".zip", ".skyconnect", ".json", ".p12", ".pfx"}

func (u *UI) into(a *adding, dir string) {
	a.dir, a.entries = dir, loaded[[]os.DirEntry]{}
	delete(u.lists, "import")
}

func (u *UI) importFile(a *adding, path string) {
	a.failed, a.browse, a.busy = nil, false, true
	u.start(func() {
		b, err := readBundle(path)
		u.post(func() {
			a.busy = false
			if err != nil {
				a.failed = err
				return
			}
			a.file, a.bundle = path, b
			u.importNow(a)
		})
	})
}

func readBundle(path string) ([]byte, error) {
	var f *os.File
	i, err := os.Stat(path)
	if err == nil && i.Mode().IsRegular() { // a pipe would be waited for
		f, err = os.Open(path)
	}
	if err != nil || f == nil {
		return nil, &Problem{Code: "bundle.unreadable"}
	}
	defer func() { _ = f.Close() }() // it was only read
	b, err := io.ReadAll(io.LimitReader(f, maxBundle+1))
	if err != nil || len(b) > maxBundle {
		return nil, &Problem{Code: "bundle.unreadable"}
	}
	return b, nil
}

// importNow hands the file, or else the link, to the backend.
func (u *UI) importNow(a *adding) {
	bundle := a.bundle
	if bundle == nil {
		bundle = []byte(strings.TrimSpace(u.editor("import:link").Text()))
	}
	if len(bundle) == 0 || a.busy {
		return
	}
	var passphrase []byte
	if a.locked {
		passphrase = u.secret("import:passphrase").take()
	}
	a.busy, a.failed = true, nil
	u.start(func() {
		got, err := u.backend.Import(u.ctx, bundle, passphrase)
		clear(passphrase)
		u.post(func() { u.imported(a, bundle, got, err) })
	})
}

func (u *UI) imported(a *adding, bundle []byte, got Imported, err error) {
	a.busy = false
	switch {
	case errors.Is(err, ErrPassphrase):
		if a.locked {
			a.failed = &Problem{Code: "bundle.passphrase.wrong"}
		}
		a.locked, a.bundle, a.frames = true, bundle, 0
		a.focus = func() event.Tag { return u.secret("import:passphrase") }
	case errors.Is(err, ErrDeclined): // what was asked meanwhile
		a.bundle = nil
	case err != nil:
		a.failed, a.bundle = err, nil
	default:
		u.drop(a.dialog)
		u.editor("import:link").SetText("")
		u.chosen = got.ID
		clear(bundle)
	}
}

// askRemove says what goes with a profile.
func (u *UI) askRemove(id, name string) {
	u.confirm(confirm{
		key: "remove", title: u.say("remove.title", "name", name), about: u.say("remove.about"), act: u.say("remove"), kind: danger,
		do: func() {
			u.act(func(ctx context.Context) error { return u.backend.Remove(ctx, id) }, func(err error) {
				if err != nil {
					u.trouble[id] = err
				}
			})
		},
	})
}
