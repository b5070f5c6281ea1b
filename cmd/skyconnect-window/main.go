// Command skyconnect-window is the window of skyconnect. It is a program of its
// own, so that the daemon and the command line do without the libraries that
// windows are drawn with; `skyconnect window` starts it. It has no rights of its
// own and listens nowhere.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"

	"gioui.org/app"
	"gioui.org/op"
	"gioui.org/unit"

	"github.com/skybridge-cloud/skybridge/internal/client/user"
	"github.com/skybridge-cloud/skybridge/internal/client/window"
	"github.com/skybridge-cloud/skybridge/internal/client/window/desk"
)

// version is set when a release is built.
var version = "v0.0.0-dev"

func main() {
	go func() {
		if err := run(backend()); err != nil {
			fmt.Fprintln(os.Stderr, "skyconnect-window:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}()
	app.Main()
}

// backend is the person's half of skyconnect, with the directory and the socket of
// the command line (SKYCONNECT_DIR, SKYCONNECT_SOCKET). Where it cannot be opened,
// the window says why.
func backend() window.Backend {
	root, err := user.Root(os.Getenv("SKYCONNECT_DIR"))
	if err == nil {
		var d *desk.Desk
		d, err = desk.Open(desk.Config{Root: root, Socket: user.Socket(), Version: version, Language: window.SystemLanguage(), Program: program()})
		if err == nil {
			return d
		}
	}
	return window.Unreachable{Why: desk.Unopened(err, window.SystemLanguage())}
}

// program is the skyconnect beside this one, which an update replaces.
func program() string {
	self, err := os.Executable()
	if err != nil {
		return ""
	}
	return filepath.Join(filepath.Dir(self), "skyconnect")
}

// run draws the window until it is closed.
func run(b window.Backend) error {
	w := new(app.Window)
	w.Option(app.Title("Skybridge Connect"), app.Size(unit.Dp(1080), unit.Dp(720)), app.MinSize(unit.Dp(360), unit.Dp(560)))
	shaper, chinese := window.Shaper()
	u := window.New(b, window.Options{
		Shaper: shaper, Chinese: chinese, Language: window.SystemLanguage(), Invalidate: w.Invalidate, Open: browse,
	})
	defer u.Close()
	var ops op.Ops
	for {
		switch e := w.Event().(type) {
		case app.DestroyEvent:
			return e.Err
		case app.FrameEvent:
			gtx := app.NewContext(&ops, e)
			u.Layout(gtx)
			e.Frame(gtx.Ops)
		}
	}
}

// browse shows the console in the system's browser.
func browse(address string) {
	name, args := "xdg-open", []string{address}
	switch runtime.GOOS {
	case "windows":
		name, args = "rundll32", []string{"url.dll,FileProtocolHandler", address}
	case "darwin":
		name = "open"
	}
	c := exec.Command(name, args...)
	if err := c.Start(); err == nil {
		go func() { _ = c.Wait() }() // only so that it leaves no zombie
	}
}
