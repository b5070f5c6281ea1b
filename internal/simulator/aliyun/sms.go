package aliyun

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

// Template is a text that the provider approved, with places such as ${code}.
type Template struct {
	Text   string
	Abroad bool // for numbers outside mainland China, and for no others
	Code   bool // the text is a code: fewer are let through
}

// Text is an SMS as a telephone would show it.
type Text struct {
	At    time.Time `json:"at"`
	To    string    `json:"to"` // as the caller wrote it
	Text  string    `json:"text"`
	OutID string    `json:"out_id"`
	BizID string    `json:"biz_id"`

	template string
}

// limits of one number, as the provider publishes its defaults: of codes by
// signature, of notices by signature and template.
var (
	codeLimits   = []limit{{time.Minute, 1}, {time.Hour, 5}, {24 * time.Hour, 10}}
	noticeLimits = []limit{{24 * time.Hour, 50}}
)

type limit struct {
	within time.Duration
	most   int
}

var (
	nationalForm = regexp.MustCompile(`^1[3-9][0-9]{9}$`)
	foreignForm  = regexp.MustCompile(`^[1-9][0-9]{6,14}$`)
	place        = regexp.MustCompile(`\$\{([A-Za-z0-9_]+)\}`)
	day          = time.FixedZone("UTC+8", 8*3600)
)

// business is a refusal of the service: HTTP 200 with a code.
func business(code, message string) verdict {
	return verdict{status: http.StatusOK, code: code, message: message}
}

// send takes an SMS.
func (s *Server) send(form url.Values) verdict {
	for name := range form {
		switch name {
		case "PhoneNumbers", "SignName", "TemplateCode", "TemplateParam", "OutId":
		default:
			return business("isv.INVALID_PARAMETERS", "参数异常")
		}
	}
	t, known := s.config.Templates[form.Get("TemplateCode")]
	to := form.Get("PhoneNumbers")
	switch {
	case form.Get("SignName") == "" || form.Get("SignName") != s.config.SignName:
		return business("isv.SMS_SIGNATURE_ILLEGAL", "短信签名不合法")
	case !known:
		return business("isv.SMS_TEMPLATE_ILLEGAL", "短信模版不合法")
	case t.Abroad && nationalForm.MatchString(to):
		return business("isv.DOMESTIC_NUMBER_NOT_SUPPORTED", "国际/港澳台消息模板不支持发送境内号码")
	case !t.Abroad && !nationalForm.MatchString(to), t.Abroad && !foreignForm.MatchString(to):
		return business("isv.MOBILE_NUMBER_ILLEGAL", "非法手机号")
	}
	text, refusal := write(t.Text, form.Get("TemplateParam"))
	if refusal.code != "" {
		return refusal
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.full(to, form.Get("TemplateCode"), t.Code) {
		return business("isv.BUSINESS_LIMIT_CONTROL", "触发流控")
	}
	sent := Text{
		At: s.config.Clock.Now(), To: to, Text: "【" + s.config.SignName + "】" + text, OutID: form.Get("OutId"), BizID: id.Random(12),
		template: form.Get("TemplateCode"),
	}
	s.texts = append(s.texts, sent)
	v := business("OK", "OK")
	v.more = map[string]any{"BizId": sent.BizID}
	return v
}

// write fills the places of a template.
func write(text, params string) (string, verdict) {
	values := map[string]string{}
	if params != "" && json.Unmarshal([]byte(params), &values) != nil {
		return "", business("isv.INVALID_JSON_PARAM", "参数格式错误")
	}
	refusal := verdict{}
	text = place.ReplaceAllStringFunc(text, func(p string) string {
		value := values[p[2:len(p)-1]]
		switch {
		case value == "":
			refusal = business("isv.TEMPLATE_MISSING_PARAMETERS", "模版缺少变量")
		case strings.Contains(value, "://"):
			refusal = business("isv.PARAM_NOT_SUPPORT_URL", "变量不支持传入URL")
		}
		return value
	})
	return text, refusal
}

// full tells whether a number has had its share. s.mu is held.
func (s *Server) full(to, template string, code bool) bool {
	all, now := noticeLimits, s.config.Clock.Now()
	if code {
		all = codeLimits
	}
	for _, l := range all {
		n := 0
		for _, t := range s.texts {
			same := t.template == template || code && s.config.Templates[t.template].Code
			if t.To == to && same && now.Sub(t.At) < l.within {
				n++
			}
		}
		if n >= l.most {
			return true
		}
	}
	return false
}

// details lists what was sent to a number on a day.
func (s *Server) details(form url.Values) verdict {
	size, err1 := strconv.Atoi(form.Get("PageSize"))
	page, err2 := strconv.Atoi(form.Get("CurrentPage"))
	if err1 != nil || err2 != nil || size < 1 || size > 50 || page < 1 || len(form.Get("SendDate")) != 8 {
		return business("isv.INVALID_PARAMETERS", "参数异常")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	found := []map[string]any{}
	for _, t := range s.texts {
		if t.To == form.Get("PhoneNumber") && t.At.In(day).Format("20060102") == form.Get("SendDate") {
			found = append(found, map[string]any{
				"PhoneNum": t.To, "OutId": t.OutID, "TemplateCode": t.template, "Content": t.Text, "SendStatus": 3, "ErrCode": "DELIVERED",
				"SendDate": t.At.In(day).Format(time.DateTime), "ReceiveDate": t.At.In(day).Format(time.DateTime),
			})
		}
	}
	from := min((page-1)*size, len(found))
	v := business("OK", "OK")
	v.more = map[string]any{
		"TotalCount": len(found), "SmsSendDetailDTOs": map[string]any{"SmsSendDetailDTO": found[from:min(from+size, len(found))]},
	}
	return v
}

// Texts returns what was sent, oldest first.
func (s *Server) Texts() []Text {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Text{}, s.texts...)
}

func (s *Server) showTexts(w http.ResponseWriter, _ *http.Request) { writeJSON(w, s.Texts()) }
