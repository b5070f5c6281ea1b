//go:build netns

package netns

import (
	"context"
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/privacy"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/egress"
	"github.com/skybridge-cloud/skybridge/internal/provider/imap"
	"github.com/skybridge-cloud/skybridge/internal/web/selfsigned"
)

const mailPassword = "mailbox-of-a-test"

// dovecot is Debian's IMAP server on loopback, with one mailbox that belongs to
// nobody, the user.
type dovecot struct {
	t              *testing.T
	dir, address   string
	roots          *x509.CertPool
	uid, gid, sent int
}

func startDovecot(t *testing.T) *dovecot {
	t.Helper()
	program, err := exec.LookPath("dovecot")
	if err != nil {
		program = "/usr/sbin/dovecot"
	}
	owner, err := user.Lookup("nobody")
	must(t, err)
	d := &dovecot{t: t, dir: shortDir(t), address: freeTCP(t), roots: x509.NewCertPool()}
	d.uid, err = strconv.Atoi(owner.Uid)
	must(t, err)
	d.gid, err = strconv.Atoi(owner.Gid)
	must(t, err)
	must(t, os.Chmod(d.dir, 0o711)) // the mailbox's owner passes through
	keys := filepath.Join(d.dir, "keys")
	cert, err := selfsigned.Ensure(keys, []string{"127.0.0.1"}, time.Now())
	must(t, err)
	leaf, err := x509.ParseCertificate(cert.Certificate[0])
	must(t, err)
	d.roots.AddCert(leaf)
	for _, sub := range []string{"mail/privacy/new", "mail/privacy/cur", "mail/privacy/tmp"} {
		must(t, os.MkdirAll(filepath.Join(d.dir, sub), 0o700))
	}
	d.give("mail")
	conf := filepath.Join(d.dir, "dovecot.conf")
	must(t, os.WriteFile(conf, []byte(d.config()), 0o600))
	cmd := exec.Command(program, "-F", "-c", conf)
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = &said, &said
	must(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
		if t.Failed() {
			log, _ := os.ReadFile(filepath.Join(d.dir, "log"))
			t.Logf("dovecot said:\n%s%s", said.String(), log)
		}
	})
	d.awaits()
	return d
}

// shortDir is a directory whose name leaves room for those of the server's sockets.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "mail-")
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// freeTCP is an address that nobody listens on.
func freeTCP(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

func (d *dovecot) config() string {
	_, port, _ := net.SplitHostPort(d.address)
	return strings.NewReplacer("DIR", d.dir, "PORT", port, "UID", strconv.Itoa(d.uid), "GID", strconv.Itoa(d.gid), "PASSWORD", mailPassword).Replace(`
base_dir = DIR/run
state_dir = DIR/state
log_path = DIR/log
instance_name = skybridge-test
protocols = imap
listen = 127.0.0.1
ssl = required
ssl_cert = <DIR/keys/console.pem
ssl_key = <DIR/keys/console.key
ssl_min_protocol = TLSv1.2
first_valid_uid = 1
mail_location = maildir:DIR/mail/%u
passdb {
  driver = static
  args = password=PASSWORD
}
userdb {
  driver = static
  args = uid=UID gid=GID home=DIR/mail/%u
}
service imap-login {
  chroot =
  inet_listener imap {
    port = 0
  }
  inet_listener imaps {
    port = PORT
    ssl = yes
  }
}
service anvil {
  chroot =
}
service stats {
  chroot =
}
`)
}

// awaits returns when the server listens.
func (d *dovecot) awaits() {
	d.t.Helper()
	look, late := time.NewTicker(20*time.Millisecond), time.After(20*time.Second)
	defer look.Stop()
	for {
		c, err := net.Dial("tcp", d.address)
		if err == nil {
			_ = c.Close()
			return
		}
		select {
		case <-look.C:
		case <-late:
			d.t.Fatalf("dovecot does not listen: %v", err)
		}
	}
}

// give makes what is below a directory the mailbox owner's.
func (d *dovecot) give(sub string) {
	d.t.Helper()
	must(d.t, filepath.WalkDir(filepath.Join(d.dir, sub), func(path string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Chown(path, d.uid, d.gid)
	}))
}

// deliver puts a mail into the mailbox, as a delivery agent does.
func (d *dovecot) deliver(body string) {
	d.t.Helper()
	d.sent++
	name := fmt.Sprintf("%d.M%dP%d.test", time.Now().Unix(), d.sent, os.Getpid())
	tmp := filepath.Join(d.dir, "mail/privacy/tmp", name)
	must(d.t, os.WriteFile(tmp, []byte(body), 0o600))
	must(d.t, os.Chown(tmp, d.uid, d.gid))
	must(d.t, os.Rename(tmp, filepath.Join(d.dir, "mail/privacy/new", name)))
}

// renumber has the server number its mails anew, as after a restored backup.
func (d *dovecot) renumber() {
	d.t.Helper()
	for _, name := range []string{"dovecot-uidlist", "dovecot.index*"} {
		all, err := filepath.Glob(filepath.Join(d.dir, "mail/privacy", name))
		must(d.t, err)
		for _, file := range all {
			must(d.t, os.Remove(file))
		}
	}
}

// flags are the mails that a client marked: none may be.
func (d *dovecot) flags() (marked []string) {
	d.t.Helper()
	all, err := filepath.Glob(filepath.Join(d.dir, "mail/privacy/*/*:2,*"))
	must(d.t, err)
	for _, file := range all {
		if _, flags, _ := strings.Cut(filepath.Base(file), ":2,"); flags != "" {
			marked = append(marked, file)
		}
	}
	return marked
}

// reader is a mailbox of the rights desk, and what it took.
type reader struct {
	box  *imap.Mailbox
	at   privacy.Position
	took []privacy.Mail
}

func (d *dovecot) reader(password string, roots *x509.CertPool) *reader {
	d.t.Helper()
	registry, err := egress.Load("mainland", true, map[string]egress.Override{"mailbox.privacy": {Endpoint: "imaps://" + d.address}})
	must(d.t, err)
	door := egress.New(egress.Deps{Registry: registry, Clock: clock.System{}, Roots: roots})
	return &reader{box: imap.New(imap.Config{Recipient: "mailbox.privacy", User: "privacy", Password: password}, door)}
}

func (r *reader) fetch() error {
	return r.box.Fetch(context.Background(), r.at, func(_ context.Context, m privacy.Mail, now privacy.Position) error {
		r.took, r.at = append(r.took, m), now
		return nil
	})
}

func letter(n int, words string) string {
	return fmt.Sprintf("From: a%d@example.org\r\nTo: privacy@example.com\r\nMessage-ID: <%d@example.org>\r\nDate: %s\r\nSubject: =?utf-8?b?5oiR55qE5pWw5o2u?= %d\r\n\r\n%s\r\n",
		n, n, time.Now().Format(time.RFC1123Z), n, words)
}

// What the simulator is held to by the tests of internal/provider/imap, Debian's
// own server does: mails come in order from where the last run ended, huge ones
// are cut, numbers that begin anew are read again, and nothing is marked.
func TestAMailboxOfDovecotIsRead(t *testing.T) {
	t.Parallel()
	d := startDovecot(t)
	r := d.reader(mailPassword, d.roots)
	must(t, r.fetch())
	if len(r.took) != 0 {
		t.Fatalf("an empty mailbox gave %d mails", len(r.took))
	}
	d.deliver(letter(1, "please send me my data"))
	d.deliver("From: a2@example.org\r\nMessage-ID: <2@example.org>\r\nSubject: with a file\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n" +
		"--x\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nsee =E9=99=84=E4=BB=B6\r\n" +
		"--x\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=\"a.pdf\"\r\nContent-Transfer-Encoding: base64\r\n\r\nJVBERg==\r\n--x--\r\n")
	must(t, r.fetch())
	if len(r.took) != 2 || r.took[0].Subject != "我的数据 1" || r.took[0].Text != "please send me my data" || r.took[1].Text != "see 附件" {
		t.Fatalf("took %+v", r.took)
	}
	must(t, r.fetch())
	if len(r.took) != 2 {
		t.Errorf("the same mails were taken again: %d", len(r.took))
	}
	d.deliver(letter(3, strings.Repeat("lorem ipsum\r\n", 100000)))
	must(t, r.fetch())
	if len(r.took) != 3 || !r.took[2].Cut || r.took[0].Cut {
		t.Errorf("took %d mails, the huge one cut: %v", len(r.took), len(r.took) == 3 && r.took[2].Cut)
	}
	was := r.at
	d.renumber()
	d.deliver(letter(4, "after the restore"))
	must(t, r.fetch())
	if r.at.Validity == was.Validity || len(r.took) != 7 || r.took[6].Subject != "我的数据 4" {
		t.Errorf("numbered anew: took %d to %+v, was %+v", len(r.took), r.at, was)
	}
	if marked := d.flags(); len(marked) > 0 {
		t.Errorf("mails were marked: %v", marked)
	}
	for n := range 51 {
		d.deliver(letter(10+n, "many"))
	}
	before := len(r.took)
	must(t, r.fetch())
	must(t, r.fetch())
	if got := len(r.took) - before; got != 51 {
		t.Errorf("took %d of 51 in two runs", got)
	}
}

func TestDovecotRefusesAWrongPasswordAndAnUnknownCertificateIsNoMailbox(t *testing.T) {
	t.Parallel()
	d := startDovecot(t)
	d.deliver(letter(1, "canary of a mail"))
	for name, r := range map[string]*reader{"password": d.reader("wrong words", d.roots), "certificate": d.reader(mailPassword, x509.NewCertPool())} {
		err := r.fetch()
		if err == nil || len(r.took) > 0 || strings.Contains(err.Error(), "wrong words") || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: got %v and %d mails", name, err, len(r.took))
		}
	}
}
