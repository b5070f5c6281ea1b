package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/skybridge-cloud/skybridge/internal/client/local"
	"github.com/skybridge-cloud/skybridge/internal/client/policy"
	"github.com/skybridge-cloud/skybridge/internal/client/trust"
	"github.com/skybridge-cloud/skybridge/internal/client/user"
)

// errNobody says that there is no terminal to ask at.
var errNobody = errors.New("nobody is at the terminal to answer; see --help for what can be given beforehand")

func isTerminal(f any) bool {
	file, ok := f.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// await reads from somebody who need not answer, until the signal that ends the
// program. What is read afterwards goes with it.
func await[T any](t *terminal, read func() (T, error)) (T, error) {
	type answer struct {
		is  T
		err error
	}
	came := make(chan answer, 1)
	go func() {
		is, err := read()
		came <- answer{is, err}
	}()
	select {
	case a := <-came:
		return a.is, a.err
	case <-t.over:
		var none T
		return none, context.Canceled
	}
}

// file reads what a person named: a file, or - for standard input.
func (t *terminal) file(ctx context.Context, from string, most int64) ([]byte, error) {
	if from != "-" {
		return local.Given(ctx, from, most)
	}
	text, err := await(t, func() ([]byte, error) { return io.ReadAll(io.LimitReader(t.in, most+1)) })
	if err == nil && int64(len(text)) > most {
		return nil, local.ErrGivenLarge.With("path", from).With("limit", most>>10)
	}
	return text, err
}

// line asks for a line that may be seen.
func (t *terminal) line(prompt string) (string, error) {
	if !isTerminal(t.in) {
		return "", errNobody
	}
	fmt.Fprint(t.err, prompt)
	if t.lines == nil {
		t.lines = bufio.NewReader(t.in)
	}
	s, err := await(t, func() (string, error) { return t.lines.ReadString('\n') })
	return strings.TrimRight(s, "\r\n"), err
}

// secret asks for a line that is not shown.
func (t *terminal) secret(prompt string) ([]byte, error) {
	file, ok := t.in.(*os.File)
	if !ok || !isTerminal(file) {
		return nil, errNobody
	}
	fmt.Fprint(t.err, prompt)
	defer fmt.Fprintln(t.err)
	before, err := term.GetState(int(file.Fd()))
	if err != nil {
		return nil, err
	}
	b, err := await(t, func() ([]byte, error) { return term.ReadPassword(int(file.Fd())) })
	if errors.Is(err, context.Canceled) {
		err = errors.Join(err, term.Restore(int(file.Fd()), before)) // what is typed is seen again
	}
	return b, err
}

// yes asks a question whose answer is yes or no; an empty one is no.
func (t *terminal) yes(question string) (bool, error) {
	s, err := t.line(question + " " + t.say("ask.yes_no") + " ")
	if err != nil {
		return false, err
	}
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "y", "yes", "是", "同意":
		return true, nil
	}
	return false, nil
}

// signer shows a server that nobody known vouches for, and asks.
func (t *terminal) signer(s trust.Shown) (bool, error) {
	fmt.Fprintln(t.err, t.say("signer.about"))
	for _, row := range [][2]string{
		{"field.names", s.Names}, {"field.signer", s.Issuer}, {"field.holds", day(s.From) + " – " + day(s.Until)}, {"field.pin", s.Pin},
	} {
		fmt.Fprintf(t.err, "  %s: %s\n", t.say(row[0]), user.Clean(row[1]))
	}
	return t.yes(t.say("signer.ask"))
}

func day(at time.Time) string { return at.Local().Format(time.DateOnly) }

// fromFD reads a secret of one line from a file descriptor that a script opened.
func (t *terminal) fromFD(fd int) ([]byte, error) {
	f := os.NewFile(uintptr(fd), "secret")
	if f == nil {
		return nil, usagef("there is no file descriptor %d", fd)
	}
	defer func() { _ = f.Close() }()
	b, err := await(t, func() ([]byte, error) { return io.ReadAll(io.LimitReader(f, 4096)) })
	if err != nil {
		return nil, fmt.Errorf("reading file descriptor %d: %w", fd, err)
	}
	line, _, _ := bytes.Cut(b, []byte("\n"))
	return bytes.TrimSuffix(line, []byte("\r")), nil
}

// form asks a server's questions.
func (t *terminal) form(f user.Form) (map[string][]byte, error) {
	for _, text := range []string{f.Banner, f.Message} {
		if text != "" {
			fmt.Fprintln(t.err, user.Clean(text))
		}
	}
	if f.Error != "" {
		fmt.Fprintln(t.err, t.paint(red, user.Clean(f.Error)))
	}
	out := map[string][]byte{}
	for _, q := range f.Fields {
		label := user.Clean(strings.TrimRight(q.Label, ": "))
		if label == "" {
			label = q.Name
		}
		var err error
		switch {
		case len(q.Choices) > 0:
			out[q.Name], err = t.choose(label, q)
		case q.Secret:
			out[q.Name], err = t.secret(label + ": ")
		default:
			var s string
			s, err = t.line(label + ": ")
			out[q.Name] = []byte(s)
		}
		if err != nil {
			for _, b := range out {
				clear(b)
			}
			return nil, err
		}
	}
	return out, nil
}

func (t *terminal) choose(label string, q user.Field) ([]byte, error) {
	fmt.Fprintln(t.err, label+":")
	for i, c := range q.Choices {
		fmt.Fprintf(t.err, "  %d  %s\n", i+1, user.Clean(c.Label))
	}
	for {
		s, err := t.line("> ")
		if err != nil {
			return nil, err
		}
		if s == "" && q.Value != "" {
			return []byte(q.Value), nil
		}
		if n, err := strconv.Atoi(s); err == nil && n >= 1 && n <= len(q.Choices) {
			return []byte(q.Choices[n-1].Value), nil
		}
	}
}

// passphrase asks for that of the sealed file of keys.
func (t *terminal) passphrase(anew bool) ([]byte, error) {
	if !anew {
		return t.secret(t.say("ask.passphrase"))
	}
	for {
		first, err := t.secret(t.say("ask.new_passphrase"))
		if err != nil {
			return nil, err
		}
		again, err := t.secret(t.say("ask.again"))
		if err != nil {
			return nil, err
		}
		same := bytes.Equal(first, again)
		clear(again)
		if same && len(first) > 0 {
			return first, nil
		}
		fmt.Fprintln(t.err, t.say("ask.not_same"))
	}
}

// permission asks for one, when it is needed for the first time.
func (t *terminal) permission(p policy.Permission) (bool, error) {
	lang := string(t.lang)
	fmt.Fprintf(t.err, "%s: %s\n%s\n", p.Name.In(lang), p.Purpose.In(lang), t.say("ask.if_refused", "what", p.Refused.In(lang)))
	return t.yes(t.say("ask.permission"))
}
