package consent

import (
	"fmt"
	"strings"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/civil"
	"github.com/skybridge-cloud/skybridge/internal/platform/mutant"
	"github.com/skybridge-cloud/skybridge/internal/platform/retention"
	"github.com/skybridge-cloud/skybridge/internal/platform/webstore"
)

// Profiles.
const (
	Mainland = "mainland"
	HongKong = "hongkong"
)

// Facts are the operator's facts that the documents print. New refuses facts
// without what the law wants named (PIPL 17, 52, 53; SUP-1, SUP-5).
type Facts struct {
	Profile       string // Mainland or HongKong; given once per deployment
	Operator      Operator
	Recipients    []Recipient
	Retention     []RetentionRow // empty = DefaultRetention(Profile)
	ClientProduct string         // name of the VPN client; empty = skyconnect
	Mechanism     string         // cross-border mechanism; hongkong only
}

// Operator is the handler of personal data. All fields are needed, except
// Representative in the profile mainland.
type Operator struct {
	Brand          string
	LegalName      string
	Address        string
	Mail           string // service
	PrivacyMail    string // requests of data subjects
	Phone          string
	QQGroup        string // empty: there is none
	DPO            string // person in charge of personal data: name or office
	DPOContact     string
	Representative string // PIPL 53
	Complaint      string // complaint channel
	Authority      string // supervisory authority
	URL            string // of the console
}

// Recipient is one row of the list of recipients (SUP-3).
type Recipient struct {
	Name, Contact, Role, Region, Purpose string
	Fields                               []string
}

// RetentionRow is one row of the retention table (SUP-2).
type RetentionRow struct {
	Data, Duration, After map[string]string // by locale
}

func (f Facts) validate() error {
	if mutant.Off("SUP-1") {
		return nil
	}
	if f.Profile != Mainland && f.Profile != HongKong {
		return fmt.Errorf("operator facts: profile %q is neither %s nor %s", f.Profile, Mainland, HongKong)
	}
	o := f.Operator
	need := map[string]string{
		"brand": o.Brand, "legal_name": o.LegalName, "address": o.Address, "mail": o.Mail, "privacy_mail": o.PrivacyMail,
		"phone": o.Phone, "dpo": o.DPO, "dpo_contact": o.DPOContact, "complaint": o.Complaint, "authority": o.Authority, "url": o.URL,
	}
	if f.Profile == HongKong {
		need["representative"], need["mechanism"] = o.Representative, f.Mechanism
	}
	for key, value := range need {
		if strings.TrimSpace(value) == "" {
			return fmt.Errorf("operator facts: %s is missing; the law wants it in the privacy policy", key)
		}
	}
	return nil
}

// values are what the markers of the documents stand for in one locale.
func (f Facts) values(locale string, updated, effective time.Time, number string) map[string]string {
	o := f.Operator
	client := f.ClientProduct
	if client == "" {
		client = "skyconnect"
	}
	rep := o.Representative
	if rep == "" {
		rep = map[string]string{"zh-CN": "无（处理者在境内）", "en": "none (the handler is in mainland China)"}[locale]
	}
	group := o.QQGroup
	if group == "" {
		group = map[string]string{"zh-CN": "无", "en": "none"}[locale]
	}
	return map[string]string{
		"qq_group": group, "rights_form": o.URL + "/my-data", "client_form": o.URL + "/my-data", "assistant": o.URL + "/assistant",
		"brand": o.Brand, "legal_name": o.LegalName, "address": o.Address, "mail": o.Mail, "privacy_mail": o.PrivacyMail,
		"phone": o.Phone, "dpo": o.DPO, "dpo_contact": o.DPOContact, "representative": rep, "complaint": o.Complaint,
		"authority": o.Authority, "url": o.URL, "client": client, "mechanism": f.Mechanism,
		"version": number, "updated": date(updated, locale), "effective": date(effective, locale),
		"recipients": f.recipientTable(locale), "retention": f.retentionTable(locale), "cookies": cookieTable(locale),
	}
}

func date(t time.Time, locale string) string {
	t = t.In(civil.Zone)
	if locale == "en" {
		return t.Format("2 January 2006")
	}
	return fmt.Sprintf("%d 年 %d 月 %d 日", t.Year(), t.Month(), t.Day())
}

// table begins with an empty line, which ends the sentence before it.
func table(header []string, rows [][]string) string {
	lines := []string{"", "| " + strings.Join(header, " | ") + " |", strings.Repeat("|---", len(header)) + "|"}
	for _, r := range rows {
		for i := range r {
			r[i] = strings.NewReplacer("|", "／", "\n", " ").Replace(r[i])
		}
		lines = append(lines, "| "+strings.Join(r, " | ")+" |")
	}
	return strings.Join(lines, "\n")
}

func (f Facts) recipientTable(locale string) string {
	header := []string{"接收方", "联系方式", "角色", "所在地", "目的", "信息字段"}
	none := "目前没有接收方。"
	if locale == "en" {
		header = []string{"Recipient", "Contact", "Role", "Place", "Purpose", "Fields"}
		none = "There are no recipients at present."
	}
	if len(f.Recipients) == 0 {
		return none
	}
	var rows [][]string
	for _, r := range f.Recipients {
		rows = append(rows, []string{r.Name, r.Contact, say(locale, r.Role), say(locale, r.Region), say(locale, r.Purpose), say(locale, strings.Join(r.Fields, ", "))})
	}
	return table(header, rows)
}

// plain is what identifiers of the registries are called in the policies. Each
// identifier is printed beside its words, so that the list can be compared with
// the registry.
var plain = map[string]map[string]string{
	"processor": both("受托人", "processor"), "handler": both("其他个人信息处理者", "other handler"), "infra": both("运营者自有或通信基础设施", "operator's own or carrier"),
	"joint": both("共同处理者", "joint handler"), "authority": both("国家机关", "authority"),
	"CN-mainland": both("中国大陆", "mainland China"), "HK": both("中国香港", "Hong Kong, China"),
	"realname": both("实名核验", "identity check"), "payment.epay": both("聚合支付", "payment"), "payment.alipay": both("支付宝付款", "payment by Alipay"),
	"payment.wechatpay": both("微信支付付款", "payment by WeChat Pay"), "account": both("账户事务", "account matters"), "verify": both("邮箱验证", "verification of the address"),
	"recovery": both("密码找回", "password recovery"), "security": both("安全通知", "security notices"), "service_change": both("服务变更通知", "service changes"),
	"UserName": both("姓名", "name"), "IdentifyNum": both("身份证件号码", "identity number"), "order_no": both("订单号", "order number"),
	"phone.verify": both("号码验证", "check of the number"), "phone.security": both("安全事件短信", "SMS of security incidents"), "phone.expiry": both("到期短信", "SMS of expiry"),
	"phone": both("手机号码", "telephone number"), "sms": both("短信内容", "text of the SMS"),
	"amount": both("金额", "amount"), "email": both("邮箱地址", "e-mail address"), "message": both("邮件内容", "the mail"),
}

// say puts words to a comma-separated list of identifiers.
func say(locale, list string) string {
	var out []string
	for _, name := range strings.Split(list, ", ") {
		if words, ok := plain[name]; ok && words[locale] != name {
			name = words[locale] + " (" + name + ")"
		}
		out = append(out, name)
	}
	return strings.Join(out, ", ")
}

func (f Facts) retentionTable(locale string) string {
	rules := f.Retention
	if len(rules) == 0 {
		rules = DefaultRetention(f.Profile)
	}
	header := []string{"信息", "保存期限", "期满之后"}
	if locale == "en" {
		header = []string{"Information", "Kept for", "Afterwards"}
	}
	var rows [][]string
	for _, r := range rules {
		rows = append(rows, []string{r.Data[locale], r.Duration[locale], r.After[locale]})
	}
	return table(header, rows)
}

// cookieTable is the registry of cookies (LT-2.2).
func cookieTable(locale string) string {
	header := []string{"名称", "用途", "期限"}
	if locale == "en" {
		header = []string{"Name", "Purpose", "Life"}
	}
	var rows [][]string
	for _, c := range webstore.Get().Cookies {
		rows = append(rows, []string{c.Name, c.Purpose[locale], c.Life[locale]})
	}
	return table(header, rows)
}

func both(zh, en string) map[string]string { return map[string]string{"zh-CN": zh, "en": en} }

// DefaultRetention is how long what this release stores is kept, as the
// policies print it: the classes that the retention run goes by (SUP-2).
func DefaultRetention(profile string) []RetentionRow {
	after := both("销毁密钥并删除", "key destroyed and rows deleted")
	var rows []RetentionRow
	for _, c := range retention.Classes() {
		kept := c.Kept
		if profile == HongKong && c.KeptHongKong != nil {
			kept = c.KeptHongKong
		}
		if c.Data != nil && !mutant.Off("SUP-2") {
			rows = append(rows, RetentionRow{c.Data, kept, after})
		}
	}
	return rows
}
