//go:build netns

package netns

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/client/ipc"
	"github.com/skybridge-cloud/skybridge/internal/platform/bundle"
)

// screen is a display without a monitor, with the window of skyconnect on it, and
// a person's hands: keys and a mouse, by the server's own test extension.
type screen struct {
	p       *person
	display string
	frame   string // the file that the display keeps its picture in
	window  *exec.Cmd
	shots   int
}

// width and height are the window's when it opens; nothing else is on the display.
const (
	width  = 1080
	height = 720
)

// show starts a display and the window in the client's namespace.
func (p *person) show() *screen {
	p.l.t.Helper()
	s := &screen{p: p}
	dir := filepath.Join(p.l.dir, "display")
	if err := os.Mkdir(dir, 0o700); err != nil {
		p.l.t.Fatal(err)
	}
	s.frame = filepath.Join(dir, "Xvfb_screen0")
	number, told, err := os.Pipe()
	if err != nil {
		p.l.t.Fatal(err)
	}
	defer number.Close()
	server := exec.Command("Xvfb", "-displayfd", "3", "-screen", "0", fmt.Sprintf("%dx%dx24", width, height), "-nolisten", "tcp", "-fbdir", dir)
	server.ExtraFiles = []*os.File{told}
	p.l.start("c", server, "display.log")
	_ = told.Close()
	line, err := io.ReadAll(io.LimitReader(number, 8))
	if n := strings.TrimSpace(string(line)); err == nil && n != "" {
		s.display = ":" + n
	} else {
		p.l.t.Fatalf("the display did not start: %v\n%s", err, p.l.log("display.log"))
	}
	s.open()
	return s
}

// open starts the window and gives it the keys.
func (s *screen) open() {
	s.p.l.t.Helper()
	if windowFailed != nil {
		s.p.l.t.Fatal(windowFailed)
	}
	s.window = exec.Command(windowBinary)
	s.window.Env = []string{
		"DISPLAY=" + s.display, "LIBGL_ALWAYS_SOFTWARE=1", "LANG=en_US.UTF-8", "PATH=" + os.Getenv("PATH"),
		"HOME=" + s.p.l.dir, "SKYCONNECT_DIR=" + s.p.home, "SKYCONNECT_SOCKET=" + s.p.socket,
	}
	s.p.l.start("c", s.window, "window.log")
	id := ""
	s.until("the window is on the display", func() bool {
		out, err := s.hands("search", "--onlyvisible", "--name", "Skybridge").Output()
		id = strings.TrimSpace(string(out))
		return err == nil && id != ""
	})
	s.do("windowfocus", "--sync", id)
}

func (s *screen) hands(args ...string) *exec.Cmd {
	c := exec.Command("ip", append([]string{"netns", "exec", s.p.l.id + "c", "xdotool"}, args...)...)
	c.Env = append(os.Environ(), "DISPLAY="+s.display)
	return c
}

func (s *screen) do(args ...string) {
	s.p.l.t.Helper()
	if out, err := s.hands(args...).CombinedOutput(); err != nil {
		s.p.l.t.Fatalf("xdotool %s: %v: %s", args[0], err, out)
	}
}

// shot is what was on the display: four bytes for each pixel, blue first.
type shot struct {
	pixels        []byte
	width, height int
	line          int // bytes
}

// colour is a pixel, 0xRRGGBB.
func (m *shot) colour(x, y int) uint32 {
	return binary.LittleEndian.Uint32(m.pixels[y*m.line+4*x:]) & 0xffffff
}

// picture is what is on the display: an XWD file, as X11/XWDFile.h has it.
func (s *screen) picture() *shot {
	s.p.l.t.Helper()
	raw, err := os.ReadFile(s.frame)
	if err != nil || len(raw) < 100 {
		s.p.l.t.Fatalf("the display's picture: %d bytes, %v", len(raw), err)
	}
	field := func(i int) int { return int(binary.BigEndian.Uint32(raw[4*i:])) }
	m := &shot{width: field(4), height: field(5), line: field(12)}
	from := field(0) + 12*field(19)
	if field(11) != 32 || field(7) != 0 || len(raw) < from+m.height*m.line {
		s.p.l.t.Fatalf("the display's picture has %d bits, order %d, %d bytes", field(11), field(7), len(raw))
	}
	m.pixels = raw[from : from+m.height*m.line]
	return m
}

func (m *shot) image() *image.RGBA {
	out := image.NewRGBA(image.Rect(0, 0, m.width, m.height))
	for y := range m.height {
		for x := range m.width {
			c := m.colour(x, y)
			out.SetRGBA(x, y, color.RGBA{uint8(c >> 16), uint8(c >> 8), uint8(c), 255})
		}
	}
	return out
}

// keep writes the picture where the pictures of all screens are.
func (s *screen) keep(name string) {
	s.p.l.t.Helper()
	s.shots++
	dir := filepath.Join("..", "..", "build", "screenshots")
	err := os.MkdirAll(dir, 0o755)
	var f *os.File
	if err == nil {
		f, err = os.Create(filepath.Join(dir, fmt.Sprintf("window-x11-%d-%s.png", s.shots, name)))
	}
	if err == nil {
		err = (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(f, s.picture().image())
	}
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		s.p.l.t.Fatal(err)
	}
}

// The window's colours, in daylight.
const (
	primary  = 0x1668dc // of the one button that goes on, and of the focus
	good     = 0x237804 // of what is connected
	outgoing = 0x0e8a7d // of the curve of what is sent
)

// onward finds the button that goes on: the lowest place with a line of its colour
// that no mark is wide enough for.
func (s *screen) onward() (image.Point, bool) {
	m := s.picture()
	for y := height - 1; y >= 0; y-- {
		run := 0
		for x := range width {
			if m.colour(x, y) != primary {
				run = 0
				continue
			}
			if run++; run >= 50 && m.colour(x-25, y-20) == primary {
				return image.Pt(x-25, y-10), true
			}
		}
	}
	return image.Point{}, false
}

// goOn presses that button.
func (s *screen) goOn(what string) {
	s.p.l.t.Helper()
	var at image.Point
	s.until(what, func() (ok bool) { at, ok = s.onward(); return ok })
	s.do("mousemove", "--sync", strconv.Itoa(at.X), strconv.Itoa(at.Y))
	s.settle()
	at, _ = s.onward()
	s.goesOn(what, at, func() { s.do("click", "1") })
}

// goesOn does something and waits until the button that goes on is not where it was.
func (s *screen) goesOn(what string, from image.Point, act func()) {
	s.p.l.t.Helper()
	act()
	s.until("what comes after "+what, func() bool {
		at, ok := s.onward()
		return !ok || at.Y != from.Y
	})
	s.settle()
}

// selections are the clipboards of X11 (ICCCM 2.6.1): of copying, and of what is marked.
var selections = []string{"clipboard", "primary"}

// fill has another program hold a text in every clipboard.
func (s *screen) fill(text string) {
	s.p.l.t.Helper()
	for _, name := range selections {
		c := exec.Command("xclip", "-quiet", "-i", "-selection", name, "-display", s.display)
		c.Stdin = strings.NewReader(text)
		s.p.l.start("c", c, name+".log")
		s.until("the clipboard "+name, func() bool { return s.clipboard(name) == text })
	}
}

// clipboard is what a program gets that pastes; "" where there is nothing.
func (s *screen) clipboard(name string) string {
	c := exec.Command("ip", "netns", "exec", s.p.l.id+"c", "xclip", "-o", "-selection", name, "-display", s.display)
	out, _ := c.Output() // it fails where nobody holds one
	return string(out)
}

// submit types a password and sends it.
func (s *screen) submit(secret string) {
	s.p.l.t.Helper()
	s.moves("typing", func() { s.do("type", "--delay", "20", secret) })
	at, _ := s.onward()
	s.goesOn("the password", at, func() { s.do("key", "Return") })
}

// focus waits for the ring around what has the keys, where nothing else has its colour.
func (s *screen) focus(what string) {
	s.p.l.t.Helper()
	s.until("the focus on "+what, func() bool { return s.count(primary) > 150 })
	s.settle()
}

// moves does something and waits until the window has shown what comes of it.
func (s *screen) moves(what string, act func()) {
	s.p.l.t.Helper()
	before := s.picture()
	act()
	s.until("the window follows "+what, func() bool { return !same(s.picture(), before) })
	s.settle()
}

// press presses keys, one after the other.
func (s *screen) press(names ...string) {
	s.p.l.t.Helper()
	for _, name := range names {
		s.moves(name, func() { s.do("key", name) })
	}
}

// until waits for what the window shows: the processor draws it, and other tests
// have the processor too.
func (s *screen) until(what string, ok func() bool) {
	s.p.l.t.Helper()
	late := time.Now().Add(3 * patience)
	for !ok() {
		if time.Now().After(late) {
			s.keep("in-vain")
			s.p.l.t.Fatalf("waited %s in vain for %s", 3*patience, what)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// settle waits until nothing moves.
func (s *screen) settle() {
	s.p.l.t.Helper()
	before, still := s.picture(), 0
	s.until("the window stands still", func() bool {
		time.Sleep(200 * time.Millisecond)
		now := s.picture()
		if still++; !same(now, before) {
			still = 0
		}
		before = now
		return still == 3
	})
}

// caret is as many pixels as blink where something is typed.
const caret = 64

func same(a, b *shot) bool {
	if bytes.Equal(a.pixels, b.pixels) {
		return true
	}
	differ := 0
	for i := 0; i < len(a.pixels) && differ <= caret; i += 4 {
		if !bytes.Equal(a.pixels[i:i+4], b.pixels[i:i+4]) {
			differ++
		}
	}
	return differ <= caret
}

func (s *screen) count(colour uint32) (n int) {
	m := s.picture()
	for y := range m.height {
		for x := range m.width {
			if m.colour(x, y) == colour {
				n++
			}
		}
	}
	return n
}

// TestTheWindowOnADisplay is a person's first day with the window, the program that is shipped on
// a display of X11: policy, a profile from a file, a connection, its end.
func TestTheWindowOnADisplay(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.want()
	l.startNode()
	pin := l.pin()
	p := l.person()
	file, err := json.Marshal(bundle.Bundle{Version: bundle.Version, Profile: bundle.Profile{
		Name: "Office", Server: nodeAddr + ":443", Account: "alice", Pins: []string{pin}, Options: bundle.Options{DTLS: true},
	}})
	if err == nil {
		err = os.Mkdir(filepath.Join(l.dir, "Downloads"), 0o700)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(l.dir, "Downloads", "office.skyconnect"), file, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	l.run("ip", "netns", "exec", l.id+"c", "nft", "add table inet watch; add chain inet watch out { type filter hook output priority 0; }; "+
		"add rule inet watch out meta l4proto { tcp, udp } counter")
	s := p.show()
	s.until("the question of age", func() bool { _, ok := s.onward(); return ok })
	s.settle()
	s.keep("age")
	s.goOn("the question of age")
	s.press("shift+Tab")
	s.keep("policy")
	if left := files(t, p.home); len(left) > 0 {
		t.Errorf("stored before the policy was accepted: %v", left)
	}
	s.press("Return")
	if a := p.run(nil, "policy", "receipts"); !strings.Contains(a.out, "accept") {
		t.Errorf("no receipt of the acceptance: %s%s", a.out, a.err)
	}
	s.goOn("the button that adds")
	s.focus("the link")
	s.press("Tab", "Return") // to the files
	s.focus("the directory above")
	s.keep("files")
	s.press("Tab", "Return")
	s.keep("added")
	if b, _ := exec.Command("ip", "netns", "exec", l.id+"c", "nft", "list", "table", "inet", "watch").Output(); !strings.Contains(string(b), "packets 0 bytes 0") {
		t.Errorf("packets left before anything was connected:\n%s", b)
	}
	l.run("ip", "netns", "exec", l.id+"c", "nft", "delete table inet watch")
	s.goOn("the button that connects")
	s.keep("permission")
	s.goOn("the button that allows")
	s.submit("wrong " + password)
	s.keep("refused")
	const before = "what the person copied before"
	s.fill(before)
	s.moves("typing", func() { s.do("type", "--delay", "20", password) }) // into the second field: the account is filled in
	s.do("key", "ctrl+a", "ctrl+c", "ctrl+Insert")
	s.settle()
	at, _ := s.onward()
	s.goesOn("the password", at, func() { s.do("key", "Return") })
	s.until("the connection", func() bool { return p.now().State == ipc.Connected })
	l.transfer(8 << 20)
	s.until("its colour", func() bool { return s.count(good) > 20 })
	s.until("the curve", func() bool { return s.count(outgoing) > 100 })
	s.keep("connected")
	s.press("Return") // the button that was pressed to connect has the focus again
	s.until("the end of the connection", func() bool { return p.run(nil, "status").code == 9 })
	s.until("the end of its colour", func() bool { return s.count(good) == 0 })
	s.settle()
	s.keep("disconnected")
	for _, name := range selections {
		if got := s.clipboard(name); got != before {
			t.Errorf("the clipboard %s holds %q", name, got)
		}
	}
	if around := s.has(password); around != "" {
		t.Errorf("the window has the password in its memory: %q", around)
	}
}

// has searches the memory of the window, and returns what is around a text there.
func (s *screen) has(text string) string {
	memory := memoryOf(s.p.l.t, s.window.Process.Pid)
	at := bytes.Index(memory, []byte(text))
	if at < 0 {
		return ""
	}
	return string(memory[max(0, at-100):min(len(memory), at+len(text)+100)])
}
