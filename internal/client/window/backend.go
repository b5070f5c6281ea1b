package window

import (
	"context"
	"time"
)

// Backend is what the window stands on: the daemon behind its socket and the
// stores of the person. All methods may be called from any goroutine and end
// early when ctx does. Errors that a person should read are Problems.
type Backend interface {
	// Watch gives a View at once and a new one whenever something changed, at
	// most four a second. The channel closes when ctx ends.
	Watch(ctx context.Context) <-chan View

	// Attend names who answers what is asked in the middle of an act: a permission
	// at its use (TY-2.6), a passphrase, a Confirmation. It is called once, first.
	// Without an answer the act ends with ErrDeclined.
	Attend(answer Answerer)

	Connections
	Policies
	Holdings
	Rights
	Diary
	Preferences
	Updates
}

// Connections brings profiles in, connects and disconnects them, takes them out.
type Connections interface {
	// Connect returns when the tunnel is up, or why it is not. It calls answer for
	// each form that the server sends; the fields it gets are its to overwrite.
	Connect(ctx context.Context, profileID string, answer Answerer) error
	Disconnect(ctx context.Context, profileID string) error
	// Import takes the bytes of a bundle file, or the text of a link or QR code.
	// The passphrase is nil where none was asked for; ErrPassphrase asks for one.
	Import(ctx context.Context, bundle, passphrase []byte) (Imported, error)
	// Add makes a profile of what the person typed, for a server without bundles.
	Add(ctx context.Context, t Typed) (Imported, error)
	Remove(ctx context.Context, profileID string) error
}

// Typed is a profile by hand. Group is the path of the server's URL; all but it and
// Account are wanted.
type Typed struct{ Name, Server, Account, Group string }

// Policies keeps the client policy and the person's acts on it (TY-8.1).
type Policies interface {
	Policy(ctx context.Context, language string) (Policy, error)
	Accept(ctx context.Context, a Acceptance) error
	Withdraw(ctx context.Context) error
	// Receipts lists acts on the policy, the newest first.
	Receipts(ctx context.Context) ([]Receipt, error)
}

// Holdings shows, copies and erases all that the client stores (TY-6.1).
type Holdings interface {
	Held(ctx context.Context) ([]HeldItem, error)
	// Export writes the person's copy below dir and returns the path of the file.
	Export(ctx context.Context, dir string) (string, error)
	// EraseAll disconnects, removes everything in Held and withdraws.
	EraseAll(ctx context.Context) error
}

// Rights lists permissions of the device and third-party components (TY-2.4, TY-2.6).
type Rights interface {
	Permissions(ctx context.Context) ([]Permission, error)
	SetPermission(ctx context.Context, id string, allowed bool) error
	Components(ctx context.Context) ([]Component, error)
}

// Diary is the local log, and what Doctor finds.
type Diary interface {
	// Log returns lines of the last seven days, the oldest first.
	Log(ctx context.Context) ([]LogLine, error)
	// ExportLog writes the log, without personal data, below dir and returns the path.
	ExportLog(ctx context.Context, dir string) (string, error)
	// Doctor calls found for every check when it starts and again when it ends.
	Doctor(ctx context.Context, profileID string, found func(Check)) error
	// ExportDoctor writes the last report, without personal data, below dir.
	ExportDoctor(ctx context.Context, dir string) (string, error)
}

// Preferences are the person's settings, and what is newer than this program.
type Preferences interface {
	Settings(ctx context.Context) (Settings, error)
	SetSettings(ctx context.Context, s Settings) error
}

// Updates finds and installs newer releases, when the person wants it.
type Updates interface {
	// FindUpdate asks the operator's server; what is newer is in the next View.
	FindUpdate(ctx context.Context) (found bool, err error)
	// InstallUpdate fetches what was found, asks for the permission and installs it.
	// progress is told how many bytes of how many have come. said is what is left to do.
	InstallUpdate(ctx context.Context, progress func(done, whole int64)) (said string, err error)
	// Restart has the service run the program that is installed; connections come back
	// by themselves. said is what runs then, and what is left to do.
	Restart(ctx context.Context) (said string, err error)
}

// View is the state of everything that changes by itself.
type View struct {
	Policy   PolicyState
	Profiles []Connection // in the order in which they are shown
	Notices  []Notice     // the newest first
	Version  string
	Update   *Update  // nil where none waits
	Renewed  bool     // the service does not run the program that is installed
	Console  string   // address of the console; "" hides what leads there
	Trouble  *Problem // the daemon cannot be reached, or is not well; nil when it is
}

// PolicyState says where the person stands with the policy.
type PolicyState int

// PolicyUnknown until the first View: the window shows nothing but its mark.
const (
	PolicyUnknown  PolicyState = iota
	PolicyPending              // never accepted
	PolicyRenewal              // a new major version is in force and not accepted
	PolicyAccepted             //
	PolicyWithdrawn
)

// State is where a connection is.
type State int

// States of a connection.
const (
	Disconnected State = iota
	Connecting
	Connected
	Reconnecting
	Paused // connected, in a Trusted network: nothing goes through the tunnel
	Disconnecting
	Failed // with Cause
)

// Channel is what packets travel by.
type Channel int

// Channels.
const (
	NoChannel Channel = iota
	TLS               // TCP 443: works wherever web pages do
	DTLS              // UDP: quicker
)

// Connection is a profile and what is known of its tunnel.
type Connection struct {
	ID, Name, Server, Account string
	State                     State
	Step                      string // what Connecting waits for, a sentence
	Since                     time.Time
	Addresses                 []string // inner, with prefix
	Routes, Excludes          []string // CIDR; empty Routes: all traffic
	DNS, Domains              []string
	Channel                   Channel
	MTU                       int           // bytes, inner
	RTT                       time.Duration // 0 unknown
	BytesIn, BytesOut         uint64
	RateIn, RateOut           []float64 // bytes per second, one each second, the newest last; the last 60 are drawn
	Cipher, Gateway           string
	Trouble                   *Problem  // why it failed or is limited
	CertificateEnds           time.Time // zero where there is none
	SessionEnds               time.Time // zero where the server sets no limit
	Banner                    string    // what the server has to say, such as of an incident
	KillSwitch                bool
	Trusted                   string // domain of the network in which it is Paused
}

// Problem is an error for a person: what happened, and what to do.
type Problem struct {
	Code   string // to quote in a ticket
	Cause  string // a sentence in the language of Settings
	Remedy string // a sentence; "" where there is none
}

func (p *Problem) Error() string { return p.Code + ": " + p.Cause }

// Notice is something the person should know.
type Notice struct {
	ID    string
	At    time.Time
	Level Level
	Title string
	Text  string
}

// Level orders notices, checks and log lines.
type Level int

// Levels.
const (
	Info Level = iota
	Warning
	Severe
)

// Update is a newer version that waits to be fetched.
type Update struct {
	Version string
	Notes   string
}

// Imported is what an import added.
type Imported struct{ ID, Name string }

// ErrPassphrase is returned by Import for a bundle that is locked.
var ErrPassphrase = &Problem{Code: "bundle.passphrase"}

// FieldKind is how a field of a form is filled.
type FieldKind int

// Kinds of fields.
const (
	Text FieldKind = iota
	Password
	Code // digits of a token
	Choice
)

// Form is what is asked: the fields of a server's login or of a passphrase or,
// alone, one Permission, Policy or Confirmation, whose answer is the Decision.
type Form struct {
	Title   string // "" for the login of a connection
	Message string // of the server; "" where it has none
	Error   string // why the last answer was not taken, a sentence
	Fields  []FormField

	Permission *Permission // asked when it is first needed (TY-2.6)
	Policy     *Policy     // of the connection's operator (TY-8.1)
	Confirm    *Confirmation
}

// Confirmation is what is done only if the person says so.
type Confirmation struct {
	Title string
	About string // what is the matter, and how to find out
	Facts []Fact // to compare; where there are none nothing is at stake
	Act   string // the verb of Yes
}

// Fact is a name and a value.
type Fact struct{ Name, Value string }

// Decision names the answer to one of these, which is Yes or No.
const (
	Decision = "decision"
	Yes      = "yes"
	No       = "no"
)

// FormField is one question of a Form.
type FormField struct {
	Name    string
	Kind    FieldKind
	Label   string // of the server; the window has its own for passwords and codes
	Value   string // proposed; never for a Password
	Options []Option
}

// Option is one answer of a Choice.
type Option struct{ Value, Label string }

// Answers are the fields of a Form by name. Zero overwrites them.
type Answers map[string][]byte

// Zero overwrites every answer.
func (a Answers) Zero() {
	for _, b := range a {
		clear(b)
	}
}

// Answerer fills in a form by asking the person, as long as ctx lives. It returns
// ErrDeclined when the person closes the dialog.
type Answerer func(ctx context.Context, f Form) (Answers, error)

// ErrDeclined is what an Answerer returns when the person does not answer.
var ErrDeclined = &Problem{Code: "login.declined"}

// Policy is one version of the client policy.
type Policy struct {
	Version   string
	Updated   string // dates as the text has them
	Effective string
	Text      string // Markdown in the language asked for
	Changes   string // Markdown: what a major version changes; "" at first
	MinorAge  int    // who is younger reads with a guardian; 0 does not ask
	LeastAge  int    // who is younger may not use the client; 0 for none
}

// Acceptance is the act of accepting one version.
type Acceptance struct {
	Version  string
	Guardian bool // the person said to be a minor and to read with a guardian
}

// Receipt proves an act on the policy.
type Receipt struct {
	At      time.Time
	Version string
	Act     string // accepted, refused, withdrawn
	Digest  string // of the text
}

// HeldItem is one thing the client stores.
type HeldItem struct {
	What   string // a name in the language of Settings
	Place  string // file, or the system's key store
	Why    string
	Until  string // how long it stays
	Value  string // as stored; for secrets, that they are there
	Secret bool
}

// Permission is one permission of the device.
type Permission struct {
	ID, Name, Purpose string
	Refused           string // what stops without it
	Allowed           bool
	Fixed             bool // given by the system, changed there
}

// Component is a row of the table of third-party components, as TY-2.4 wants it.
type Component struct {
	Name, Purpose, Fields, Developer, Link string
}

// LogLine is a line of the log.
type LogLine struct {
	At      time.Time
	Level   Level
	Profile string
	Text    string
}

// CheckState is how far a check is.
type CheckState int

// States of a check.
const (
	CheckRunning CheckState = iota
	CheckGood
	CheckWarning
	CheckBad
	CheckSkipped
)

// Check is one thing that Doctor looks at.
type Check struct {
	ID, Name      string
	State         CheckState
	Result        string // what was found
	Cause, Remedy string // where it is not good
}

// Theme is light, dark or that of the system.
type Theme string

// Themes.
const (
	ThemeSystem Theme = ""
	ThemeLight  Theme = "light"
	ThemeDark   Theme = "dark"
)

// Settings are the person's choices.
type Settings struct {
	Language string // zh-CN, en; "" is the system's
	Theme    Theme
	DTLS     bool // try UDP
	LocalLAN bool // reach the local network while all traffic goes through the tunnel
	// KillSwitch lists profiles whose traffic never leaves outside the tunnel.
	KillSwitch map[string]bool
}
