package window

import (
	"context"
	"image"
	"os"
	"slices"
	"sync"

	"gioui.org/io/event"
	"gioui.org/io/key"
	"gioui.org/layout"
	"gioui.org/op/paint"
	"gioui.org/text"
	"gioui.org/unit"
	"gioui.org/widget"
)

// narrow is below which the window is for one hand: no side bar, one pane.
const narrow unit.Dp = 720

// page is a place in the window.
type page int

const (
	pageList page = iota
	pageConnection
	pageNotices
	pageLog
	pageDoctor
	pageData
	pageRights
	pageSettings
	pageAbout
	pagePolicy
)

// Options are what a UI needs besides its Backend.
type Options struct {
	Shaper     *text.Shaper
	Chinese    bool                 // whether Shaper can show Chinese
	Language   string               // of the system
	Dark       bool                 // what the system prefers
	Home       string               // directory where exports go and imports are looked for
	Invalidate func()               // asks for a new frame; from any goroutine
	Open       func(address string) // shows a page in the system's browser; nil where there is none
}

// UI draws the window and keeps what the person is doing in it. Layout is called
// by one goroutine; Close waits for those that it started.
type UI struct {
	backend Backend
	opt     Options
	shaper  *text.Shaper
	chinese bool
	system  string
	look    *palette

	ctx     context.Context // the window's life
	cancel  context.CancelFunc
	running sync.WaitGroup
	mu      sync.Mutex
	posted  []func()

	view     View
	settings Settings
	page     page
	before   []page // where Back leads
	chosen   string // the profile looked at
	menu     bool
	dialogs  []*dialog
	pressed  event.Tag                     // last, outside of dialogs
	giveBack event.Tag                     // has the focus when the last dialog is gone
	below    bool                          // what is being drawn lies below a dialog
	attempts map[string]context.CancelFunc // connects under way, by profile
	trouble  map[string]error              // why the last act on a profile failed
	said     string                        // a short success, until the next act
	failed   error                         // what the last act of a page met
	copied   string

	gate     gate
	log      logPage
	doctor   doctorPage
	renewal  renewal
	policy   loaded[Policy]
	held     loaded[[]HeldItem]
	receipts loaded[[]Receipt]
	rights   loaded[[]Permission]
	parts    loaded[[]Component]

	clicks  map[string]*widget.Clickable
	editors map[string]*widget.Editor
	secrets map[string]*secret
	scrubIn int // frames until what the toolkit kept of them is overwritten; 0: nothing is
	lists   map[string]*layout.List
}

// New starts to watch the backend. The caller closes the UI.
func New(b Backend, opt Options) *UI {
	ctx, cancel := context.WithCancel(context.Background())
	u := &UI{
		backend: b, opt: opt, shaper: opt.Shaper, chinese: opt.Chinese, system: opt.Language, look: &light,
		ctx: ctx, cancel: cancel,
		attempts: map[string]context.CancelFunc{}, trouble: map[string]error{},
		clicks: map[string]*widget.Clickable{}, editors: map[string]*widget.Editor{},
		secrets: map[string]*secret{}, lists: map[string]*layout.List{},
	}
	if u.opt.Invalidate == nil {
		u.opt.Invalidate = func() {}
	}
	if u.opt.Home == "" {
		u.opt.Home, _ = os.UserHomeDir() // where there is none, imports start at the root
	}
	b.Attend(u.attend)
	u.start(u.watch)
	return u
}

// Close ends what runs and overwrites what was typed as a password.
func (u *UI) Close() {
	u.cancel()
	u.running.Wait()
	for _, s := range u.secrets {
		s.zero()
	}
}

// start runs f in a goroutine that Close waits for.
func (u *UI) start(f func()) {
	u.running.Add(1)
	go func() {
		defer u.running.Done()
		f()
	}()
}

// post runs f before the next frame, in the goroutine of Layout.
func (u *UI) post(f func()) {
	u.mu.Lock()
	u.posted = append(u.posted, f)
	u.mu.Unlock()
	u.opt.Invalidate()
}

func (u *UI) receive() {
	u.mu.Lock()
	fs := u.posted
	u.posted = nil
	u.mu.Unlock()
	for _, f := range fs {
		f()
	}
}

func (u *UI) watch() {
	if s, err := u.backend.Settings(u.ctx); err == nil {
		u.post(func() { u.settings = s })
	}
	for v := range u.backend.Watch(u.ctx) {
		u.post(func() { u.see(v) })
	}
}

// see takes a new View. What was looked at stays, if it is still there.
func (u *UI) see(v View) {
	if u.view.Policy != v.Policy {
		u.gate = gate{}
		u.policy = loaded[Policy]{}
	}
	u.view = v
	if u.connection() == nil && len(v.Profiles) > 0 {
		u.chosen = v.Profiles[0].ID
	}
	if u.page == pageConnection && u.connection() == nil {
		u.page = pageList
	}
}

// connection is the chosen one; nil when there is none.
func (u *UI) connection() *Connection {
	i := slices.IndexFunc(u.view.Profiles, func(c Connection) bool { return c.ID == u.chosen })
	if i < 0 {
		return nil
	}
	return &u.view.Profiles[i]
}

// loaded is something of the backend that a page shows.
type loaded[T any] struct {
	value T
	err   error
	state loadState
}

type loadState int

const (
	untouched loadState = iota
	loading
	ready
)

// load fetches into l unless that is under way or done.
func load[T any](u *UI, l *loaded[T], get func(context.Context) (T, error)) {
	if l.state != untouched {
		return
	}
	l.state = loading
	u.start(func() {
		v, err := get(u.ctx)
		u.post(func() { *l = loaded[T]{value: v, err: err, state: ready} })
	})
}

// act does something that takes a moment; done runs in Layout's goroutine.
func (u *UI) act(do func(context.Context) error, done func(error)) {
	u.said, u.failed = "", nil
	u.start(func() {
		err := do(u.ctx)
		u.post(func() { done(err) })
	})
}

// open goes to a page, with a way back.
func (u *UI) open(p page) {
	u.menu = false
	if p == u.page {
		return
	}
	if p == pageConnection || p == pagePolicy {
		u.before = append(u.before, u.page)
	} else {
		u.before = nil
	}
	u.turn(p)
}

func (u *UI) back() {
	p := pageList
	if n := len(u.before); n > 0 {
		p, u.before = u.before[n-1], u.before[:n-1]
	}
	u.turn(p)
}

// turn shows a page with what it lists fetched anew.
func (u *UI) turn(p page) {
	u.page, u.said, u.failed, u.copied = p, "", nil, ""
	u.refresh()
	delete(u.lists, "page")
}

func (u *UI) refresh() {
	u.held, u.receipts = loaded[[]HeldItem]{}, loaded[[]Receipt]{}
	u.rights, u.parts = loaded[[]Permission]{}, loaded[[]Component]{}
	u.log.lines = loaded[[]LogLine]{}
}

// Layout draws the window.
func (u *UI) Layout(gtx C) D {
	u.receive()
	u.look = &light
	if u.settings.Theme == ThemeDark || u.settings.Theme == ThemeSystem && u.opt.Dark {
		u.look = &dark
	}
	paint.Fill(gtx.Ops, u.look.ground)
	u.scrubs(gtx)
	u.escape(gtx)
	if u.giveBack != nil && len(u.dialogs) == 0 {
		gtx.Execute(key.FocusCmd{Tag: u.giveBack})
		u.giveBack = nil
	}
	gtx.Constraints.Min = gtx.Constraints.Max
	under := gtx
	if len(u.dialogs) > 0 {
		under, u.below = gtx.Disabled(), true
	}
	u.screen(under)
	u.below = false
	if n := len(u.dialogs); n > 0 {
		u.dialog(gtx, u.dialogs[n-1])
	}
	return D{Size: gtx.Constraints.Max}
}

// screen is the gate until the policy stands, then the pages.
func (u *UI) screen(gtx C) D {
	switch u.view.Policy {
	case PolicyUnknown:
		return u.waiting(gtx)
	case PolicyPending, PolicyRenewal, PolicyWithdrawn:
		if u.page == pageData && u.view.Policy != PolicyPending {
			return u.dataAlone(gtx)
		}
		return u.gateScreen(gtx)
	}
	if gtx.Constraints.Max.X < gtx.Dp(narrow) {
		return u.tall(gtx)
	}
	return u.broad(gtx)
}

// waiting is the first moment, and a daemon that does not answer.
func (u *UI) waiting(gtx C) D {
	var why W
	if u.view.Trouble != nil {
		why = most(420, u.problem(u.view.Trouble))
	}
	return layout.Center.Layout(gtx, inset(24, 24, func(gtx C) D {
		gtx.Constraints.Min = image.Point{}
		return layout.Flex{Axis: layout.Vertical, Alignment: layout.Middle}.Layout(gtx,
			layout.Rigid(u.mark(56)),
			layout.Rigid(space(16)),
			layout.Rigid(u.title(u.say("brand"))),
			layout.Rigid(space(24)),
			layout.Rigid(func(gtx C) D {
				if why == nil {
					return D{}
				}
				return why(gtx)
			}),
		)
	}))
}

// escape closes what is on top.
func (u *UI) escape(gtx C) {
	for {
		ev, ok := gtx.Event(key.Filter{Name: key.NameEscape})
		if !ok {
			return
		}
		if k, ok := ev.(key.Event); !ok || k.State != key.Press {
			continue
		}
		switch n := len(u.dialogs); {
		case n > 0:
			u.close(u.dialogs[n-1])
		case u.menu:
			u.menu = false
		case len(u.before) > 0:
			u.back()
		}
	}
}
