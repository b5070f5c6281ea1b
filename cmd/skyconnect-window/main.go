// Command skyconnect-window is the window of skyconnect. It is a program of its
// own, so that the daemon and the command line do without the libraries that
// windows are drawn with; `skyconnect window` starts it. It has no rights of its
// own and listens nowhere.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"

	"gioui.org/app"
	"gioui.org/op"
	"gioui.org/unit"

	"github.com/skybridge-cloud/skybridge/internal/client/window"
)

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

// backend is what the window talks to. Until the daemon has a socket that it can
// ask, it says that nobody answers.
func backend() window.Backend {
	return window.Unreachable{Why: &window.Problem{Code: "daemon.unreachable"}}
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
