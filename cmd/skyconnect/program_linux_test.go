package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// programDir holds what the tests run as a person does.
var programDir string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "skyconnect-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	programDir = dir
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

var built = sync.OnceValues(func() (string, error) {
	path := filepath.Join(programDir, "skyconnect")
	out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%w: %s", err, out)
	}
	return path, err
})

// program is skyconnect itself, in a process of its own.
type program struct {
	t    *testing.T
	path string
	dir  string // of the person's things, and of their files
}

func newProgram(t *testing.T) *program {
	t.Helper()
	path, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return &program{t, path, t.TempDir()}
}

func (p *program) home() string            { return filepath.Join(p.dir, "home") }
func (p *program) file(name string) string { return filepath.Join(p.dir, name) }

func (p *program) env() []string {
	return append(os.Environ(), "SKYCONNECT_DIR="+p.home(), "SKYCONNECT_SOCKET="+p.file("none"), "LANG=C.UTF-8", "LC_ALL=", "PATH="+filepath.Dir(p.path)+":"+os.Getenv("PATH"))
}

// patience is how long a command may take on a busy machine that waits for nobody.
const patience = 20 * time.Second

// run runs a command; its code is -1 where it did not end by itself.
func (p *program) run(args ...string) (text string, code int) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), patience)
	defer cancel()
	c := exec.CommandContext(ctx, p.path, append([]string{"--keys", "plain-file"}, args...)...)
	c.Env = p.env()
	out, err := c.CombinedOutput()
	if c.ProcessState == nil {
		p.t.Fatal(err)
	}
	return string(out), c.ProcessState.ExitCode()
}

// must is run for what has to go well.
func (p *program) must(args ...string) string {
	p.t.Helper()
	out, code := p.run(args...)
	if code != exitOK {
		p.t.Fatalf("%v: got %d %s", args, code, out)
	}
	return out
}

// write writes a file of the person's.
func (p *program) write(name, text string) string {
	p.t.Helper()
	if err := os.WriteFile(p.file(name), []byte(text), 0o600); err != nil {
		p.t.Fatal(err)
	}
	return p.file(name)
}

// stored is everything in the person's directory, by its path there.
func (p *program) stored() map[string]string {
	p.t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(p.home(), func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		name, _ := filepath.Rel(p.home(), path)
		all[name] = string(b)
		return err
	})
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		p.t.Fatal(err)
	}
	return all
}

// console is a terminal with a person at it.
type console struct {
	t      *testing.T
	person *os.File
	cmd    *exec.Cmd
	mu     sync.Mutex
	shown  bytes.Buffer
}

// console starts a program on a terminal of its own (pty(7)).
func (p *program) console(name string, args ...string) *console {
	p.t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { _ = master.Close() })
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0)
	}
	if err != nil {
		p.t.Fatal(err)
	}
	slave, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		p.t.Fatal(err)
	}
	c := &console{t: p.t, person: master, cmd: exec.Command(name, args...)}
	c.cmd.Env, c.cmd.Dir = append(p.env(), "TERM=dumb", "PS1=$ ", "INPUTRC=/dev/null"), p.dir
	c.cmd.Stdin, c.cmd.Stdout, c.cmd.Stderr = slave, slave, slave
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := c.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	_ = slave.Close()
	p.t.Cleanup(func() { _ = c.cmd.Process.Kill() })
	go func() {
		b := make([]byte, 4096)
		for {
			n, err := master.Read(b)
			c.mu.Lock()
			c.shown.Write(b[:n])
			c.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	return c
}

func (c *console) types(text string) {
	c.t.Helper()
	if _, err := c.person.WriteString(text); err != nil {
		c.t.Fatal(err)
	}
}

// sees waits for a text, and forgets what was shown up to its end.
func (c *console) sees(text string) {
	c.t.Helper()
	for late := time.Now().Add(patience); time.Now().Before(late); time.Sleep(10 * time.Millisecond) {
		c.mu.Lock()
		at := bytes.Index(c.shown.Bytes(), []byte(text))
		if at >= 0 {
			c.shown.Next(at + len(text))
		}
		c.mu.Unlock()
		if at >= 0 {
			return
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t.Fatalf("waited for %q in vain: %q", text, c.shown.String())
}

// ends waits for the program's end.
func (c *console) ends() int {
	c.t.Helper()
	late := time.AfterFunc(patience, func() { _ = c.cmd.Process.Kill() })
	defer late.Stop()
	_ = c.cmd.Wait()
	return c.cmd.ProcessState.ExitCode()
}

// office is a profile as an administrator gives it.
const office = `{"version":1,"profile":{"name":%q,"server":"vpn.example.org:443","account":"alice","options":{"dtls":true}}}`

// TestHostileFilesAtTheCommandLine: whatever a person was talked into naming, nothing
// is stored, nothing hangs or grows, and the sentence says what it was.
func TestHostileFilesAtTheCommandLine(t *testing.T) {
	t.Parallel()
	p := newProgram(t)
	p.must("profiles", "import", p.write("office.skyconnect", fmt.Sprintf(office, "office")))
	p.must("permissions", "grant", "key-store")
	p.must("profiles", "set", "office", "--keep-seed")
	for _, err := range []error{unix.Mkfifo(p.file("pipe"), 0o600), os.Symlink("loop", p.file("loop")), os.Mkdir(p.file("dir"), 0o700)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	large := p.write("large", strings.Repeat(" ", 1<<20))
	nul := p.write("nul", strings.Replace(fmt.Sprintf(office, "nul"), "alice", "ali\x00ce", 1))
	before := p.stored()
	for _, c := range []struct {
		args string
		code int
		want string
	}{
		{"profiles import " + p.file("pipe"), exitFailed, "not a profile"},
		{"profiles import " + p.file("loop"), exitFailed, "is no file"},
		{"profiles import " + p.file("dir"), exitFailed, "is no file"},
		{"profiles import " + p.file("absent"), exitFailed, "There is no file"},
		{"profiles import /proc/self/mem", exitFailed, "cannot be read"},
		{"profiles import /dev/zero", exitFailed, "larger than 256 KB"},
		{"profiles import " + large, exitFailed, "larger than 256 KB"},
		{"profiles import " + nul, exitFailed, "not a profile"},
		{"profiles import " + p.path, exitFailed, "larger than"},
		{"profiles import skyconnect://x", exitFailed, "not a whole link"},
		{"profiles add ca --server vpn.example.org --ca /dev/zero", exitFailed, "larger than 64 KB"},
		{"profiles add ca --server vpn.example.org --ca " + p.file("pipe"), exitFailed, "field ca"},
		{"profiles add ca --server vpn.example.org --ca " + nul, exitFailed, "field ca"},
		{"profiles set office --certificate /dev/zero", exitFailed, "larger than 64 KB"},
		{"profiles set office --certificate " + nul + " --key /dev/zero", exitFailed, "larger than 64 KB"},
		{"profiles set office --certificate " + nul + " --key " + large, exitFailed, "larger than 64 KB"},
		{"token import office --from /dev/zero", exitFailed, "larger than 4 KB"},
		{"token import office --from " + p.file("dir"), exitFailed, "is no file"},
		{"profiles show ../../etc/passwd", exitFailed, "There is no profile"},
		{"profiles remove ../office --yes", exitFailed, "There is no profile"},
		{"up office --password-fd 99", exitFailed, "99"},
	} {
		out, code := p.run(strings.Fields(c.args)...)
		if code != c.code || !strings.Contains(out, c.want) || len(out) > 1000 || strings.Contains(out, "panic") {
			t.Errorf("%s: got %d %.1000s, want %d %q", c.args, code, out, c.code, c.want)
		}
	}
	p.unchanged(before)
}

// passing are files that say nothing of profiles: the log, turns, and where keys
// are kept, which run says each time.
var passing = regexp.MustCompile(`^log|\.lock$|^keystore\.json$`)

// unchanged compares what is stored with what was.
func (p *program) unchanged(before map[string]string) {
	p.t.Helper()
	after := p.stored()
	for name, text := range after {
		if was, ok := before[name]; !passing.MatchString(name) && (!ok || was != text) {
			p.t.Errorf("%s was %q and is %q", name, was, text)
		}
	}
	for name := range before {
		if _, ok := after[name]; !ok {
			p.t.Errorf("%s is gone", name)
		}
	}
}

// TestHostileProfilesAtTheCommandLine: a bundle is what a stranger may have made.
func TestHostileProfilesAtTheCommandLine(t *testing.T) {
	t.Parallel()
	p := newProgram(t)
	p.must("profiles", "import", p.write("office.skyconnect", fmt.Sprintf(office, "office")))
	good := fmt.Sprintf(office, "other")
	before := p.stored()
	for name, text := range map[string]string{
		"a path as name":              fmt.Sprintf(office, "../../.bashrc"),
		"the directory above":         fmt.Sprintf(office, ".."),
		"a flag as name":              fmt.Sprintf(office, "--all"),
		"a hidden name":               fmt.Sprintf(office, ".profile"),
		"a name of two lines":         fmt.Sprintf(office, "office\nother"),
		"a name with NUL":             strings.Replace(good, `"other"`, `"ot\u0000her"`, 1),
		"a name that turns around":    strings.Replace(good, `"other"`, `"\u202eeciffo"`, 1),
		"a name with colours":         strings.Replace(good, `"other"`, `"\u001b[31moffice"`, 1),
		"a name of 70 letters":        fmt.Sprintf(office, strings.Repeat("x", 70)),
		"no name":                     fmt.Sprintf(office, ""),
		"another one's name":          fmt.Sprintf(strings.Replace(office, "vpn.example.org", "evil.example.org", 1), "office"),
		"a number as name":            strings.Replace(good, `"other"`, `7`, 1),
		"a list as profile":           `{"version":1,"profile":[]}`,
		"a text as options":           strings.Replace(good, `{"dtls":true}`, `"dtls"`, 1),
		"a password":                  strings.Replace(good, `"account"`, `"password":"x","account"`, 1),
		"more than one":               good + good,
		"no JSON at its end":          good + "x",
		"another version":             strings.Replace(good, `"version":1`, `"version":99`, 1),
		"no server":                   strings.Replace(good, "vpn.example.org:443", "", 1),
		"a server with a path":        strings.Replace(good, "vpn.example.org:443", "vpn.example.org:443/../x", 1),
		"a server of two lines":       strings.Replace(good, "vpn.example.org:443", `vpn.example.org:443\r\nX: y`, 1),
		"a pin that is none":          strings.Replace(good, `"options"`, `"pins":["pin-sha256:AAAA"],"options"`, 1),
		"a console that is a script":  strings.Replace(good, `"options"`, `"links":{"console":"javascript:alert(1)"},"options"`, 1),
		"a console with a password":   strings.Replace(good, `"options"`, `"links":{"console":"https://a:b@example.org/"},"options"`, 1),
		"a signature that is none":    strings.Replace(good, `"version":1`, `"version":1,"signature":{"key":"AAAA","sum":"AAAA"}`, 1),
		"a thousand levels":           strings.Repeat(`{"profile":`, 1000) + "1" + strings.Repeat("}", 1000),
		"a key without a certificate": strings.Replace(good, `"version":1`, `"version":1,"key":{"pkcs8":"x"}`, 1),
		"bytes that are no text":      strings.Replace(good, "alice", "\xff\xfe", 1),
	} {
		out, code := p.run("profiles", "import", p.write("hostile.skyconnect", text))
		if code != exitFailed || strings.Contains(out, "panic") || strings.Contains(out, "goroutine") || strings.ContainsAny(out, "\x00\x1b\u202e") || strings.TrimSpace(out) == "" {
			t.Errorf("%s: got %d %q", name, code, out)
		}
	}
	p.unchanged(before)
}

// TestAProfileTakesNoOthersPlace: one that is named as another one's id or file is
// not found in its place, and a file that is a link or of others is not read.
func TestAProfileTakesNoOthersPlace(t *testing.T) {
	t.Parallel()
	p := newProgram(t)
	p.must("profiles", "add", "zoo", "--server", "vpn.example.org")
	id := ""
	for name := range p.stored() {
		if strings.HasPrefix(name, "profiles/") {
			id = strings.TrimSuffix(filepath.Base(name), ".json")
		}
	}
	evil := strings.Replace(office, "vpn.example.org", "evil.example.org", 1)
	p.must("profiles", "import", p.write("evil.skyconnect", fmt.Sprintf(evil, id)))
	p.must("profiles", "import", p.write("evil.skyconnect", fmt.Sprintf(strings.Replace(evil, "evil.", "other.evil.", 1), id+".json")))
	if out := p.must("profiles", "show", id); !strings.Contains(out, "vpn.example.org:443") {
		t.Errorf("another one is shown: %s", out)
	}
	p.must("profiles", "remove", id, "--yes")
	if out := p.must("profiles"); strings.Contains(out, "zoo") || strings.Count(out, "evil.example.org") != 2 {
		t.Errorf("another one was removed: %s", out)
	}
	outside := p.write("outside.json", `{"secret":"of somebody"}`)
	if err := os.Symlink(outside, filepath.Join(p.home(), "profiles", "prf_link.json")); err != nil {
		t.Fatal(err)
	}
	if out := p.must("profiles"); strings.Contains(out, "of somebody") || !strings.Contains(out, "is a link") {
		t.Errorf("a link in the directory: %s", out)
	}
	p.must("data", "erase", "--yes")
	if b, err := os.ReadFile(outside); err != nil || !strings.Contains(string(b), "of somebody") {
		t.Errorf("erasing followed a link: %q, %v", b, err)
	}
	if err := os.RemoveAll(p.home()); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(p.dir, p.home()); err != nil {
		t.Fatal(err)
	}
	if out, code := p.run("profiles", "add", "new", "--server", "vpn.example.org"); code != exitFailed || !strings.Contains(out, "is a link") {
		t.Errorf("the directory is a link: got %d %s", code, out)
	}
}

// TestACommandLineThatMakesNoSense has the exit code of one.
func TestACommandLineThatMakesNoSense(t *testing.T) {
	t.Parallel()
	p := newProgram(t)
	for _, args := range []string{
		"bogus", "profiles bogus", "--bogus", "up a b", "profiles add office", "profiles show", "status --lang de", "up --password-fd x",
	} {
		if out, code := p.run(strings.Fields(args)...); code != exitUsage || !strings.HasPrefix(out, "skyconnect: ") {
			t.Errorf("%s: got %d %s", args, code, out)
		}
	}
	if left := p.stored(); len(left) > 0 {
		t.Errorf("stored: %v", left)
	}
}

// TestCtrlCEndsEveryQuestion, and what is typed afterwards is seen again.
func TestCtrlCEndsEveryQuestion(t *testing.T) {
	t.Parallel()
	p := newProgram(t)
	p.must("profiles", "add", "office", "--server", "vpn.example.org", "--keep-seed")
	shell := p.console("bash", "--norc", "--noprofile", "-i")
	for _, c := range [][2]string{
		{"token import office", "not shown"}, // typed, and not shown
		{"profiles remove office", "[y/N]"},
		{"profiles import -", ""},
		{"token import office --from <(sleep 60)", ""},
	} {
		shell.types("clear; skyconnect --keys plain-file " + c[0] + "\n")
		shell.sees(c[0])
		if c[1] == "" {
			time.Sleep(300 * time.Millisecond) // nothing tells that it waits; Ctrl-C before it does ends it as well
		} else {
			shell.sees(c[1])
		}
		shell.types("\x03")
		shell.sees("$ ")
		shell.types("echo was=$?\n")
		shell.sees("was=130")
	}
	shell.types("exit\n")
	if code := shell.ends(); code != 0 {
		t.Errorf("the shell ended with %d", code)
	}
	p.must("profiles", "show", "office") // it is still there
}

// TestShellsComplete: the scripts that completion prints, in the shells they are for.
func TestShellsComplete(t *testing.T) {
	t.Parallel()
	p := newProgram(t)
	p.must("profiles", "add", "office", "--server", "vpn.example.org")
	p.must("profiles", "import", p.write("evil.skyconnect", fmt.Sprintf(office, "pwn$(touch pwned)")))
	for _, shell := range []string{"bash", "zsh", "fish"} {
		script := p.write("completion."+shell, p.must("completion", shell))
		if out, err := exec.Command(shell, "-n", script).CombinedOutput(); err != nil {
			t.Errorf("%s does not read it: %v %s", shell, err, out)
		}
	}

	bash := p.console("bash", "--norc", "--noprofile", "-i")
	bash.types(". /usr/share/bash-completion/bash_completion; . ./completion.bash; echo re''ady\n")
	bash.sees("ready")
	for _, c := range [][2]string{
		{"skyconnect profi\t | head -1; echo di''d\n", "office"},
		{"skyconnect profiles sho\toff\t; echo di''d\n", `"server": "vpn.example.org:443"`},
		{"skyconnect profiles remove prf\t\t; echo di''d\n", "pwn$(touch pwned)"}, // its id, and the question
	} {
		bash.types(c[0])
		bash.sees(c[1])
		if strings.Contains(c[0], "remove") {
			bash.types("n\n")
		}
		bash.sees("did")
	}
	bash.types("skyconnect up --he\t; echo di''d\n")
	bash.sees("--code-fd")
	bash.sees("did")

	fish := exec.Command("fish", "-c", `source completion.fish
complete -C "skyconnect stat"; complete -C "skyconnect profiles show "; complete -C "skyconnect up --passw"`)
	fish.Env, fish.Dir = append(p.env(), "HOME="+p.dir), p.dir
	out, err := fish.CombinedOutput()
	for _, want := range []string{"status\t", "\noffice\n", "prf_", "--password-fd\t"} {
		if err != nil || !strings.Contains(string(out), want) {
			t.Errorf("fish, %q: got %v\n%s", want, err, out)
		}
	}
	if strings.Contains(string(out), "\npwn$") {
		t.Errorf("a name that a shell would run is completed:\n%s", out)
	}
	if _, err := os.Stat(p.file("pwned")); err == nil {
		t.Error("a profile's name was run")
	}
}
