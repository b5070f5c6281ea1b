package window

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// now is when all pictures are taken.
var now = time.Date(2026, 11, 29, 14, 30, 0, 0, time.UTC)

// demo is a Backend with the data that a test wants; it notes what was asked of it.
type demo struct {
	mu       sync.Mutex
	view     View
	settings Settings
	policy   map[string]Policy
	password string   // of every profile
	calls    []string // names of acts, in order
	answers  []Answers
	watchers []chan View
	failing  error // of every act, when set
	held     []HeldItem
	rights   []Permission

	attendant Answerer
}

func (d *demo) called(name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.calls = append(d.calls, name)
	return d.failing
}

// change alters the view and tells the window.
func (d *demo) change(f func(*View)) {
	d.mu.Lock()
	f(&d.view)
	v := d.view
	v.Profiles = append([]Connection(nil), v.Profiles...)
	watchers := d.watchers
	d.mu.Unlock()
	for _, w := range watchers {
		w <- v
	}
}

func (d *demo) Attend(a Answerer) { d.attendant = a }

func (d *demo) Watch(ctx context.Context) <-chan View {
	in, out := make(chan View, 16), make(chan View)
	d.mu.Lock()
	v := d.view
	v.Profiles = append([]Connection(nil), v.Profiles...)
	in <- v
	d.watchers = append(d.watchers, in)
	d.mu.Unlock()
	go func() {
		defer close(out)
		for {
			select {
			case v := <-in:
				select {
				case out <- v:
				case <-ctx.Done():
					return
				}
			case <-ctx.Done():
				return
			}
		}
	}()
	return out
}

func (d *demo) set(id string, f func(*Connection)) {
	d.change(func(v *View) {
		for i := range v.Profiles {
			if v.Profiles[i].ID == id {
				f(&v.Profiles[i])
			}
		}
	})
}

// Connect asks for group, password and code, and again while the password is wrong.
func (d *demo) Connect(ctx context.Context, id string, answer Answerer) error {
	if err := d.called("connect " + id); err != nil {
		return err
	}
	d.set(id, func(c *Connection) { c.State = Connecting; c.Step = "TLS" })
	form := Form{Fields: []FormField{{Name: "username", Kind: Text, Value: "li.lei"}, {Name: "password", Kind: Password}}}
	for {
		a, err := answer(ctx, form)
		if err != nil {
			d.set(id, func(c *Connection) { c.State = Disconnected })
			return err
		}
		right := string(a["password"]) == d.password
		d.mu.Lock()
		d.answers = append(d.answers, a)
		d.mu.Unlock()
		a.Zero()
		if right {
			break
		}
		form.Error = "login refused"
	}
	a, err := answer(ctx, Form{Message: "second factor", Fields: []FormField{{Name: "code", Kind: Code}}})
	if err != nil {
		d.set(id, func(c *Connection) { c.State = Disconnected })
		return err
	}
	_ = d.called("code " + string(a["code"]))
	d.set(id, func(c *Connection) { *c = connected(*c) })
	return nil
}

func (d *demo) Disconnect(_ context.Context, id string) error {
	if err := d.called("disconnect " + id); err != nil {
		return err
	}
	d.set(id, func(c *Connection) { c.State = Disconnected })
	return nil
}

func (d *demo) Add(_ context.Context, t Typed) (Imported, error) {
	if err := d.called("add " + t.Name + " " + t.Server + " " + t.Account + " " + t.Group); err != nil {
		return Imported{}, err
	}
	d.change(func(v *View) {
		v.Profiles = append(v.Profiles, Connection{ID: "typed", Name: t.Name, Server: t.Server, Account: t.Account})
	})
	return Imported{ID: "typed", Name: t.Name}, nil
}

func (d *demo) Import(_ context.Context, bundle, passphrase []byte) (Imported, error) {
	if err := d.called("import " + string(bundle)); err != nil {
		return Imported{}, err
	}
	switch {
	case strings.HasPrefix(string(bundle), "locked") && passphrase == nil:
		return Imported{}, ErrPassphrase
	case strings.HasPrefix(string(bundle), "locked") && string(passphrase) != "open sesame":
		return Imported{}, ErrPassphrase
	}
	d.change(func(v *View) {
		v.Profiles = append(v.Profiles, Connection{ID: "new", Name: "New site", Server: "new.example.com:443"})
	})
	return Imported{ID: "new", Name: "New site"}, nil
}

func (d *demo) Remove(_ context.Context, id string) error {
	if err := d.called("remove " + id); err != nil {
		return err
	}
	d.change(func(v *View) {
		for i, c := range v.Profiles {
			if c.ID == id {
				v.Profiles = append(v.Profiles[:i:i], v.Profiles[i+1:]...)
				return
			}
		}
	})
	return nil
}

func (d *demo) Policy(_ context.Context, language string) (Policy, error) {
	if err := d.called("policy " + language); err != nil {
		return Policy{}, err
	}
	return d.policy[language], nil
}

func (d *demo) Accept(_ context.Context, a Acceptance) error {
	if err := d.called(fmt.Sprintf("accept %s guardian=%t", a.Version, a.Guardian)); err != nil {
		return err
	}
	d.change(func(v *View) { v.Policy = PolicyAccepted })
	return nil
}

func (d *demo) Withdraw(context.Context) error {
	if err := d.called("withdraw"); err != nil {
		return err
	}
	d.change(func(v *View) { v.Policy = PolicyWithdrawn })
	return nil
}

func (d *demo) FindUpdate(context.Context) (bool, error) {
	if err := d.called("find update"); err != nil {
		return false, err
	}
	d.change(func(v *View) { v.Update = &Update{Version: "v1.1.0", Notes: "Quicker reconnect."} })
	return true, nil
}

func (d *demo) InstallUpdate(ctx context.Context, progress func(done, whole int64)) (string, error) {
	progress(5<<20, 10<<20)
	a, err := d.attendant(ctx, Form{Permission: &Permission{ID: "install-updates", Name: "install updates", Purpose: "to renew", Refused: "no upgrade"}})
	if err != nil || string(a[Decision]) != Yes {
		return "", ErrDeclined
	}
	return "restart the service", d.called("install update")
}

func (d *demo) Restart(context.Context) (string, error) {
	if err := d.called("restart"); err != nil {
		return "", err
	}
	d.change(func(v *View) { v.Renewed = false })
	return "the service runs v1.1.0", nil
}

func (d *demo) Receipts(context.Context) ([]Receipt, error) {
	if err := d.called("receipts"); err != nil {
		return nil, err
	}
	return []Receipt{{At: now.Add(-72 * time.Hour), Version: "1.0.0", Act: "accepted", Digest: "sha256:6f1ed002ab5595859014ebf0951522d9c5d3a9a8b3b6d3c2f1e0d9c8b7a69584"}}, nil
}

func (d *demo) Held(context.Context) ([]HeldItem, error) {
	if err := d.called("held"); err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.held, nil
}

func (d *demo) Export(_ context.Context, dir string) (string, error) {
	return filepath.Join(dir, "skyconnect-data.zip"), d.called("export")
}

func (d *demo) EraseAll(context.Context) error {
	if err := d.called("erase"); err != nil {
		return err
	}
	d.mu.Lock()
	d.held = nil
	d.mu.Unlock()
	d.change(func(v *View) { v.Policy, v.Profiles = PolicyPending, nil })
	return nil
}

func (d *demo) Permissions(context.Context) ([]Permission, error) {
	if err := d.called("permissions"); err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]Permission(nil), d.rights...), nil
}

func (d *demo) SetPermission(_ context.Context, id string, allowed bool) error {
	if err := d.called(fmt.Sprintf("permission %s %t", id, allowed)); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := range d.rights {
		if d.rights[i].ID == id {
			d.rights[i].Allowed = allowed
		}
	}
	return nil
}

func (d *demo) Components(context.Context) ([]Component, error) {
	if err := d.called("components"); err != nil {
		return nil, err
	}
	return demoComponents[d.tongue()], nil
}

func (d *demo) tongue() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.settings.Language
}

func (d *demo) Log(context.Context) ([]LogLine, error) {
	if err := d.called("log"); err != nil {
		return nil, err
	}
	return demoLog, nil
}

func (d *demo) ExportLog(_ context.Context, dir string) (string, error) {
	return filepath.Join(dir, "skyconnect-log.txt"), d.called("export log")
}

func (d *demo) Doctor(_ context.Context, id string, found func(Check)) error {
	if err := d.called("doctor " + id); err != nil {
		return err
	}
	for _, c := range demoChecks[d.tongue()] {
		found(Check{ID: c.ID, Name: c.Name})
		found(c)
	}
	return nil
}

func (d *demo) ExportDoctor(_ context.Context, dir string) (string, error) {
	return filepath.Join(dir, "skyconnect-doctor.json"), d.called("export doctor")
}

func (d *demo) Settings(context.Context) (Settings, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.settings, nil
}

func (d *demo) SetSettings(_ context.Context, s Settings) error {
	if err := d.called("settings"); err != nil {
		return err
	}
	d.mu.Lock()
	d.settings = s
	d.mu.Unlock()
	return nil
}

// did tells whether an act was asked for.
func (d *demo) did(name string) bool { return slices.Contains(d.all(), name) }

func (d *demo) all() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.calls)
}

// connected is a connection that is up, with everything that can be known of it.
func connected(c Connection) Connection {
	c.State, c.Step, c.Since = Connected, "", now.Add(-(time.Hour + 23*time.Minute + 45*time.Second))
	c.Addresses = []string{"10.8.0.23/24", "2001:db8:8:1::17/64"}
	c.Routes = []string{"10.0.0.0/8", "172.16.0.0/12", "192.168.40.0/22", "2001:db8:8::/48"}
	c.Excludes = []string{"192.168.41.7/32"}
	c.DNS, c.Domains = []string{"10.8.0.1", "2001:db8:8:1::1"}, []string{"corp.example.com", "internal.example.com"}
	c.Channel, c.MTU, c.RTT = DTLS, 1390, 12400*time.Microsecond
	c.BytesIn, c.BytesOut = 1_284_000_000, 96_400_000
	c.Cipher, c.Gateway = "TLS 1.3, AES-256-GCM", "203.0.113.10:443"
	for i := range 60 {
		x := float64(i)
		c.RateIn = append(c.RateIn, 2.6e6+1.4e6*math.Sin(x/7)+5e5*math.Sin(x/2.3)+1.5e4*x)
		c.RateOut = append(c.RateOut, 6e5+2.5e5*math.Sin(x/5+1)+9e4*math.Sin(x/1.7))
	}
	return c
}

// demoView has the states next to each other, and the longest names that are real.
func demoView(language string) View {
	names := map[string][]string{
		English: {"Shanghai office", "Research network of the materials laboratory, Building 7", "Guangzhou plant"},
		Chinese: {"上海办公室", "第七研究楼材料实验室科研专用网络（华东二区）", "广州工厂"},
	}[language]
	cause := map[string]*Problem{
		English: {Code: "client.unreachable", Cause: "The server does not answer on TCP port 443.", Remedy: "Check the network cable or Wi-Fi, then run the diagnosis."},
		Chinese: {Code: "client.unreachable", Cause: "服务器的 TCP 443 端口没有响应。", Remedy: "请检查网线或无线网络，然后运行诊断。"},
	}[language]
	notices := map[string][]Notice{
		English: {
			{ID: "n1", At: now.Add(-2 * time.Hour), Level: Warning, Title: "The certificate of Shanghai office ends in 12 days", Text: "Ask your administrator for a new bundle before 2026-12-11; after that day the connection is refused."},
			{ID: "n2", At: now.Add(-50 * time.Hour), Level: Info, Title: "Maintenance on Saturday", Text: "The gateway in Guangzhou restarts between 02:00 and 02:15. Connections come back by themselves."},
		},
		Chinese: {
			{ID: "n1", At: now.Add(-2 * time.Hour), Level: Warning, Title: "“上海办公室”的证书将在 12 天后到期", Text: "请在 2026-12-11 之前向管理员索取新的配置文件，之后将无法连接。"},
			{ID: "n2", At: now.Add(-50 * time.Hour), Level: Info, Title: "周六维护", Text: "广州网关将在 02:00 至 02:15 之间重启，连接会自动恢复。"},
		},
	}[language]
	return View{
		Policy: PolicyAccepted, Version: "1.0.0", Console: "https://console.example.com", Notices: notices,
		Profiles: []Connection{
			connected(Connection{ID: "sh", Name: names[0], Server: "vpn.example.com:443", Account: "li.lei", CertificateEnds: now.Add(12 * 24 * time.Hour)}),
			{ID: "lab", Name: names[1], Server: "ssl-vpn.materials-laboratory.research.example.edu.cn:8443", Account: "li.lei@materials-laboratory", CertificateEnds: now.Add(300 * 24 * time.Hour)},
			{ID: "gz", Name: names[2], Server: "gz.example.com:443", Account: "li.lei", State: Failed, Trouble: cause, CertificateEnds: now.Add(300 * 24 * time.Hour)},
		},
	}
}

func newDemo(t *testing.T, language string) *demo {
	t.Helper()
	d := &demo{
		view: demoView(language), settings: Settings{Language: language, DTLS: true, KillSwitch: map[string]bool{"sh": true}},
		policy: map[string]Policy{}, password: "correct horse",
		held: demoHeld[language], rights: append([]Permission(nil), demoRights[language]...),
	}
	for _, l := range []string{Chinese, English} {
		d.policy[l] = demoPolicy(t, l)
	}
	return d
}

var (
	frontMatter = regexp.MustCompile(`(?s)\A---\n.*?\n---\n`)
	foreign     = regexp.MustCompile(`(?m)^\[[^\]]*@hongkong\].*\n`)
	clauses     = regexp.MustCompile(`(?m)^\[(TY|SUP)[^\]]*\] `)
	holes       = regexp.MustCompile(`\{\{(\w+)\}\}`)
)

// demoPolicy is the client policy of the product, its holes filled in as the
// control plane would.
func demoPolicy(t *testing.T, language string) Policy {
	t.Helper()
	b, err := os.ReadFile("../../control/consent/documents/client." + language + ".md")
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]string{"brand": "Skybridge", "client": "skyconnect", "version": "1.0.0", "updated": "2026-11-20", "effective": "2026-11-27", "mail": "help@example.com", "privacy_mail": "privacy@example.com", "phone": "400-000-0000"}
	text := frontMatter.ReplaceAllString(string(b), "")
	text = clauses.ReplaceAllString(foreign.ReplaceAllString(text, ""), "")
	text = holes.ReplaceAllStringFunc(text, func(h string) string {
		if v, ok := values[strings.Trim(h, "{}")]; ok {
			return v
		}
		return "……"
	})
	changes := map[string]string{
		English: "## What changes\n\n* **Session records are kept for six calendar months**, as the law asks.\n* The component for system trays was added; it collects nothing.\n",
		Chinese: "## 变更内容\n\n* **会话记录依法保存六个自然月。**\n* 新增系统托盘组件，它不收集信息。\n",
	}[language]
	return Policy{Version: "1.0.0", Updated: "2026-11-20", Effective: "2026-11-27", Text: text, Changes: changes, MinorAge: 18}
}

var demoHeld = map[string][]HeldItem{
	English: {
		{What: "Profile: Shanghai office", Place: "/home/li/.config/skyconnect/profiles/sh.json", Why: "to connect", Until: "you remove it", Value: "server vpn.example.com:443\naccount li.lei\npin sha256/6f1ed002ab5595859014ebf0951522d9"},
		{What: "Private key of Shanghai office", Place: "key store of the system", Why: "proves who you are at login", Until: "you remove the profile", Secret: true},
		{What: "Acceptance of the policy", Place: "/home/li/.config/skyconnect/consent.json", Why: "proof of your act", Until: "you erase everything", Value: "1.0.0, 2026-11-26 14:30"},
		{What: "Log", Place: "/home/li/.local/state/skyconnect/log", Why: "to find faults", Until: "7 days", Value: "214 lines"},
	},
	Chinese: {
		{What: "连接配置：上海办公室", Place: "/home/li/.config/skyconnect/profiles/sh.json", Why: "用于连接", Until: "您移除为止", Value: "服务器 vpn.example.com:443\n账号 li.lei\n公钥指纹 sha256/6f1ed002ab5595859014ebf0951522d9"},
		{What: "“上海办公室”的私钥", Place: "系统密钥库", Why: "登录时证明您的身份", Until: "移除该连接为止", Secret: true},
		{What: "对政策的同意", Place: "/home/li/.config/skyconnect/consent.json", Why: "证明您的操作", Until: "全部删除为止", Value: "1.0.0，2026-11-26 14:30"},
		{What: "日志", Place: "/home/li/.local/state/skyconnect/log", Why: "查找故障", Until: "7 天", Value: "214 行"},
	},
}

var demoRights = map[string][]Permission{
	English: {
		{ID: "network", Name: "Network access", Purpose: "To set up the VPN.", Refused: "You cannot connect; everything local works.", Allowed: true, Fixed: true},
		{ID: "install", Name: "Install an update", Purpose: "Asked when you choose to update.", Refused: "Only updates from within the client stop."},
	},
	Chinese: {
		{ID: "network", Name: "网络访问", Purpose: "用于建立 VPN。", Refused: "不能连接，本地功能不受影响。", Allowed: true, Fixed: true},
		{ID: "install", Name: "安装更新", Purpose: "在您选择更新时征得同意。", Refused: "仅不能在客户端内升级。"},
	},
}

var demoComponents = map[string][]Component{
	English: {
		{"Gio", "Draws the window", "None", "The Gio authors", "gioui.org (MIT, Unlicense)"},
		{"go-text/typesetting", "Sets text", "None", "The go-text authors", "github.com/go-text/typesetting (BSD)"},
		{"golang.org/x/crypto", "Encryption", "None", "The Go authors", "pkg.go.dev/golang.org/x/crypto (BSD)"},
	},
	Chinese: {
		{"Gio", "绘制窗口", "无", "Gio 作者", "gioui.org（MIT、Unlicense）"},
		{"go-text/typesetting", "文字排版", "无", "go-text 作者", "github.com/go-text/typesetting（BSD）"},
		{"golang.org/x/crypto", "加密", "无", "Go 作者", "pkg.go.dev/golang.org/x/crypto（BSD）"},
	},
}

var demoLog = []LogLine{
	{now.Add(-95 * time.Minute), Info, "", "service started, version 1.0.0"},
	{now.Add(-85 * time.Minute), Info, "sh", "connecting to vpn.example.com:443"},
	{now.Add(-84 * time.Minute), Info, "sh", "TLS 1.3 established; server key matches the pin"},
	{now.Add(-84 * time.Minute), Warning, "sh", "UDP probe lost twice; going on over TLS while DTLS is tried again every 30 s"},
	{now.Add(-83 * time.Minute), Info, "sh", "DTLS established, inner MTU 1390"},
	{now.Add(-20 * time.Minute), Severe, "gz", "TCP 443 of gz.example.com does not answer: no route to host"},
}

var demoChecks = map[string][]Check{
	English: {
		{ID: "tcp", Name: "Server by TCP", State: CheckGood, Result: "vpn.example.com:443 answers in 12 ms"},
		{ID: "udp", Name: "Server by UDP", State: CheckWarning, Result: "no answer on UDP 443", Cause: "A firewall on the way lets no UDP through.", Remedy: "Nothing must be done: traffic goes by TLS, a little slower. Ask your network's administrator to allow UDP 443."},
		{ID: "cert", Name: "Certificate", State: CheckGood, Result: "valid until 2027-09-01; key matches the pin"},
		{ID: "clock", Name: "Clock", State: CheckBad, Result: "11 minutes behind", Cause: "Codes of a token are refused when the clock is off by more than 30 seconds.", Remedy: "Turn on automatic time in the system's settings."},
		{ID: "route", Name: "Route conflicts", State: CheckSkipped, Result: "not connected"},
	},
	Chinese: {
		{ID: "tcp", Name: "服务器 TCP", State: CheckGood, Result: "vpn.example.com:443 在 12 毫秒内响应"},
		{ID: "udp", Name: "服务器 UDP", State: CheckWarning, Result: "UDP 443 没有响应", Cause: "途中的防火墙阻断了 UDP。", Remedy: "无需处理：流量经 TLS 传输，速度略慢。可请网络管理员放行 UDP 443。"},
		{ID: "cert", Name: "证书", State: CheckGood, Result: "有效期至 2027-09-01，公钥指纹一致"},
		{ID: "clock", Name: "时钟", State: CheckBad, Result: "慢 11 分钟", Cause: "时钟误差超过 30 秒时，动态口令会被拒绝。", Remedy: "请在系统设置中打开自动校时。"},
		{ID: "route", Name: "路由冲突", State: CheckSkipped, Result: "尚未连接"},
	},
}
