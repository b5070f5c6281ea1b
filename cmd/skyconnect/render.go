package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/client/ipc"
	"github.com/skybridge-cloud/skybridge/internal/client/user"
	"github.com/skybridge-cloud/skybridge/internal/platform/i18n"
)

// terminal is where the command line reads and writes.
type terminal struct {
	in       io.Reader
	lines    *bufio.Reader // of in, once a line was asked for
	out, err io.Writer
	fancy    bool // a terminal: colours, and lines that are written over
	json     bool
	lang     i18n.Language
	over     <-chan struct{} // closed by the signal that ends the program; nil: by none
	began    bool            // a command did: what fails before is the command line
}

const (
	green  = "\x1b[32m"
	yellow = "\x1b[33m"
	red    = "\x1b[31m"
	dim    = "\x1b[2m"
	plain  = "\x1b[0m"
)

// environment is the language of the person at the terminal: LC_ALL, LC_MESSAGES
// or LANG, the first that is set (POSIX.1-2024, 8.2).
func environment() i18n.Language {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if v := os.Getenv(name); v != "" {
			if strings.HasPrefix(v, "zh") {
				return i18n.Chinese
			}
			break
		}
	}
	return i18n.English
}

// say is the sentence of a code below "client."; pairs are names and values of its
// parameters.
func (t *terminal) say(code string, pairs ...string) string { return user.Say(t.lang, code, pairs...) }

// has tells whether there is such a sentence.
func (t *terminal) has(code string) bool { return user.Has(t.lang, code) }

// paint colours text where it is seen.
func (t *terminal) paint(colour, text string) string {
	if !t.fancy {
		return text
	}
	return colour + text + plain
}

func (t *terminal) printJSON(v any) error {
	e := json.NewEncoder(t.out)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// state is a connection's state as a word with its colour.
func (t *terminal) state(s ipc.State) string {
	word := t.say("state." + string(s))
	switch s {
	case ipc.Connected:
		return t.paint(green, "● "+word)
	case ipc.Connecting, ipc.Reconnecting, ipc.Paused:
		return t.paint(yellow, "◐ "+word)
	case ipc.Failed, ipc.Login:
		return t.paint(red, "○ "+word)
	default:
		return t.paint(dim, "○ "+word)
	}
}

// connection prints all that is known of one.
func (t *terminal) connection(c ipc.Connection, now time.Time) {
	fmt.Fprintf(t.out, "%s  %s\n", user.Clean(c.Name), t.state(c.State))
	row := func(code, value string) {
		if value != "" {
			fmt.Fprintf(t.out, "  %s %s\n", pad(t.say("field."+code), 12), value)
		}
	}
	row("server", user.Clean(c.Server))
	if c.Cause != "" {
		row("cause", t.say("cause."+c.Cause))
		row("said", user.Clean(c.Text))
		if code := "remedy." + c.Cause; t.has(code) {
			row("remedy", t.say(code))
		}
	}
	if c.State != ipc.Connected && c.State != ipc.Reconnecting && c.State != ipc.Paused {
		return
	}
	row("trusted", user.Clean(c.Trusted))
	row("since", now.Sub(c.Since).Round(time.Second).String())
	row("address", list(c.Addresses))
	routes := list(c.Include)
	if len(c.Include) == 0 {
		routes = t.say("routes.all")
	}
	row("routes", routes)
	row("without", list(c.Exclude))
	row("dns", list(c.DNS))
	row("domains", user.Clean(strings.Join(append(append([]string{}, c.SplitDNS...), c.Domains...), ", ")))
	row("channel", strings.ToUpper(c.Channel)+" "+c.Cipher)
	row("mtu", fmt.Sprint(c.MTU))
	if c.RTT > 0 {
		row("rtt", fmt.Sprintf("%.1f ms", c.RTT))
	}
	row("moved", fmt.Sprintf("↓ %s  ↑ %s", size(c.BytesIn), size(c.BytesOut)))
	if !c.Ends.IsZero() {
		row("ends", c.Ends.Local().Format("2006-01-02 15:04"))
	}
	for _, w := range c.Warnings {
		row("warning", t.paint(yellow, t.say(w)))
	}
	row("banner", user.Clean(c.Banner))
	if c.Notices > 0 {
		row("notices", t.paint(yellow, t.say("notices", "count", fmt.Sprint(c.Notices))))
	}
}

func list[T fmt.Stringer](all []T) string {
	out := make([]string, len(all))
	for i, v := range all {
		out[i] = v.String()
	}
	return strings.Join(out, ", ")
}

// pad is text in a column of width cells; a Chinese character takes two.
func pad(text string, width int) string {
	n := 0
	for _, r := range text {
		n++
		if r >= 0x2e80 {
			n++
		}
	}
	return text + strings.Repeat(" ", max(0, width-n))
}

// size is a number of bytes for people.
func size(n uint64) string {
	const units = "KMGTPE"
	if n < 1000 {
		return fmt.Sprintf("%d B", n)
	}
	v, i := float64(n)/1000, 0
	for v >= 999.95 && i < len(units)-1 {
		v, i = v/1000, i+1
	}
	return fmt.Sprintf("%.1f %cB", v, units[i])
}
