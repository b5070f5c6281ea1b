package window

import (
	"fmt"
	"image"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"gioui.org/f32"
	"gioui.org/io/input"
	"gioui.org/io/key"
	"gioui.org/io/pointer"
	"gioui.org/io/semantic"
	"gioui.org/layout"
	"gioui.org/op"
	"gioui.org/text"
	"gioui.org/unit"
)

// patience is how long a test waits for what a goroutine does.
const patience = 20 * time.Second

var testShaper = sync.OnceValues(Shaper)

func TestMain(m *testing.M) {
	// Mesa draws without a display only when told that there is none.
	if os.Getenv("EGL_PLATFORM") == "" {
		os.Setenv("EGL_PLATFORM", "surfaceless")
	}
	os.Exit(m.Run())
}

// rig is a window without a screen: it takes frames, is pressed and typed into,
// and reads what a screen reader would.
type rig struct {
	t      *testing.T
	ui     *UI
	demo   *demo
	router input.Router
	ops    op.Ops
	size   image.Point
	scale  float32
	woken  chan struct{}
}

// look is one variant of every picture.
type look struct {
	name     string
	size     image.Point
	scale    float32
	language string
	theme    Theme
}

var english = look{"wide", image.Pt(1080, 720), 1, English, ThemeLight}

func newRig(t *testing.T, l look, d *demo) *rig {
	t.Helper()
	shaper, chinese := testShaper()
	if !chinese {
		t.Fatal("no Chinese font: scripts/setup.sh test installs fonts-noto-cjk")
	}
	return newRigWith(t, l, d, shaper)
}

func newRigWith(t *testing.T, l look, b Backend, shaper *text.Shaper) *rig {
	t.Helper()
	r := &rig{t: t, size: l.size, scale: l.scale, woken: make(chan struct{}, 1)}
	if d, ok := b.(*demo); ok {
		d.settings.Theme, d.settings.Language = l.theme, l.language
		r.demo = d
	}
	r.ui = New(b, Options{Shaper: shaper, Chinese: true, Language: l.language, Home: t.TempDir(), Open: func(string) {}, Invalidate: func() {
		select {
		case r.woken <- struct{}{}:
		default:
		}
	}})
	t.Cleanup(r.ui.Close)
	return r
}

func (r *rig) frame() {
	r.ops.Reset()
	r.ui.Layout(layout.Context{
		Ops: &r.ops, Now: now, Source: r.router.Source(), Constraints: layout.Exact(r.size),
		Metric: unit.Metric{PxPerDp: r.scale, PxPerSp: r.scale},
	})
	r.router.Frame(&r.ops)
}

// settle draws until what was pressed has had its effect.
func (r *rig) settle() {
	for range 3 {
		r.frame()
	}
}

// until draws on until it holds.
func (r *rig) until(what string, holds func() bool) {
	r.t.Helper()
	late := time.NewTimer(patience)
	defer late.Stop()
	for {
		r.settle()
		if holds() {
			return
		}
		select {
		case <-r.woken:
		case <-late.C:
			r.t.Fatalf("%s did not come; there is:\n%s", what, strings.Join(r.words(), "\n"))
		}
	}
}

func (r *rig) see(word string) {
	r.t.Helper()
	r.until(fmt.Sprintf("%q", word), func() bool { return r.sees(word) })
}

func (r *rig) gone(word string) {
	r.t.Helper()
	r.until(fmt.Sprintf("the end of %q", word), func() bool { return !r.sees(word) })
}

// nodes are what a screen reader is told.
func (r *rig) nodes() []input.SemanticNode { return r.router.AppendSemantics(nil) }

func (r *rig) words() (all []string) {
	for _, n := range r.nodes() {
		if n.Desc.Label != "" {
			all = append(all, n.Desc.Label)
		}
	}
	return all
}

func (r *rig) sees(word string) bool {
	for _, w := range r.words() {
		if strings.Contains(w, word) {
			return true
		}
	}
	return false
}

// pressable finds what can be pressed and is called name, in sight.
func (r *rig) pressable(name string) (input.SemanticNode, bool) {
	all := r.nodes()
	tree := byID(all)
	for i := len(all) - 1; i >= 0; i-- { // the topmost is the last
		n := all[i]
		if n.Desc.Description == name && n.Desc.Gestures&input.ClickGesture != 0 && n.Desc.Class != semantic.Editor && !n.Desc.Disabled && center(n).In(r.visible(tree, n)) {
			return n, true
		}
	}
	return input.SemanticNode{}, false
}

type tree map[input.SemanticID]input.SemanticNode

func byID(all []input.SemanticNode) tree {
	t := tree{}
	for _, n := range all {
		t[n.ID] = n
	}
	return t
}

// visible is what of a node is in sight.
func (r *rig) visible(t tree, n input.SemanticNode) image.Rectangle {
	b := n.Desc.Bounds.Intersect(image.Rectangle{Max: r.size})
	for p, ok := t[n.ParentID]; ok; p, ok = t[p.ParentID] {
		b = b.Intersect(p.Desc.Bounds)
	}
	return b
}

func center(n input.SemanticNode) image.Point {
	return n.Desc.Bounds.Min.Add(n.Desc.Bounds.Max).Div(2)
}

// press presses what is called name, paging down to it.
func (r *rig) press(name string) {
	r.t.Helper()
	var n input.SemanticNode
	for range 40 {
		r.settle()
		var ok bool
		if n, ok = r.pressable(name); ok {
			break
		}
		r.key(key.NamePageDown)
	}
	if n.ID == 0 {
		r.t.Fatalf("nothing to press is called %q; there is:\n%s", name, strings.Join(r.names(), "\n"))
	}
	p := f32.Pt(float32(center(n).X), float32(center(n).Y))
	r.router.Queue(
		pointer.Event{Kind: pointer.Move, Source: pointer.Mouse, Position: p},
		pointer.Event{Kind: pointer.Press, Source: pointer.Mouse, Buttons: pointer.ButtonPrimary, Position: p},
		pointer.Event{Kind: pointer.Release, Source: pointer.Mouse, Buttons: pointer.ButtonPrimary, Position: p},
	)
	r.settle()
	away := f32.Pt(1, 1)
	r.router.Queue(pointer.Event{Kind: pointer.Move, Source: pointer.Mouse, Position: away})
	r.settle()
}

func (r *rig) names() (all []string) {
	for _, n := range r.nodes() {
		if n.Desc.Gestures&input.ClickGesture != 0 {
			all = append(all, fmt.Sprintf("%s %q %v disabled=%t", n.Desc.Class, n.Desc.Description, n.Desc.Bounds, n.Desc.Disabled))
		}
	}
	return all
}

func (r *rig) key(name key.Name) {
	r.router.Queue(key.Event{Name: name, State: key.Press}, key.Event{Name: name, State: key.Release})
	r.settle()
}

// write types into what has the focus.
func (r *rig) write(s string) {
	r.settle()
	for _, c := range s {
		at := r.router.EditorState().Selection.Range
		r.router.Queue(key.EditEvent{Range: at, Text: string(c)}, key.SelectionEvent{Start: at.Start + 1, End: at.Start + 1})
		r.frame()
	}
	r.settle()
}

// tab moves the focus on.
func (r *rig) tab() {
	r.router.MoveFocus(key.FocusForward)
	r.settle()
}
