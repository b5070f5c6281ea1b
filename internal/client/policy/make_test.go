package policy

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/skybridge-cloud/skybridge/internal/platform/bundle"
)

var update = flag.Bool("update", false, "write the built-in texts anew")

// general are the paragraphs that an operator nobody knows cannot promise, in
// words that hold for every one: by the first clause of the paragraph. An empty
// one is left out.
var general = map[string]map[string]string{
	"zh-CN": {
		"TY-F":   "版本 {{version}}。本文随客户端提供，适用于没有自带政策的服务器。",
		"TY-0c":  "联系方式：您的 VPN 的运营者；您的管理员知道如何联系。您可以要求解释本政策。",
		"TY-1.1": "本政策说明客户端在您的设备上如何处理信息，无论您连接哪一台服务器。服务器上的处理，由其运营者自己的政策说明。",
		"TY-1.2": "本政策与运营者自己的隐私政策共同构成处理规则；有不一致时，以要求更严格者为准。个人信息处理者是 VPN 的运营者。",
		"SUP-6":  "", "SUP-7": "", "TY-3.1a": "",
		"TY-3.2a": "客户端的信息只保存在您的设备上，直到您删除；日志保存七天。服务器上的保存地点和期限，由其运营者的政策说明。",
		"TY-4.1":  "除您连接的服务器外，客户端不向任何人提供信息。",
		"TY-4.2":  "客户端不转移您的信息。",
		"TY-5.1a": "私钥和令牌种子保存在系统密钥库，或以您的口令加密的文件中；只有您明确选择时才保存为明文文件。**不会保存密码。**",
		"TY-5.1e": "",
		"TY-5.2":  "发现账号、密码或证书被他人使用的，请立即通知您的管理员；管理员可以在控制台立即断开会话并吊销证书。",
		"TY-6.2":  "更正由您的管理员在运营者的控制台办理。",
		"TY-6.3":  "客户端不直接支持账户注销，它引向运营者的控制台。",
		"TY-7.1":  "14 周岁及以下者的信息属于敏感个人信息：只有监护人同意，才可以使用客户端。监护人可以随时清除客户端保存的内容，并要求运营者删除。",
		"TY-8.1":  "重大变更后，须由您**重新点击同意**，客户端才会连接。",
		"TY-9.1":  "有关您的信息的请求，请向 VPN 的运营者提出。",
		"TY-9.2":  "",
		"TY-9.3":  "对答复不满意的，可以向主管部门投诉、举报，或向被告所在地有管辖权的人民法院起诉。",
	},
	"en": {
		"TY-F":   "Version {{version}}. This text comes with the client, for servers that bring none of their own. The Chinese text is authoritative.",
		"TY-0c":  "Contact: the operator of your VPN; your administrator knows whom to ask. You may ask for an explanation of this policy.",
		"TY-1.1": "This policy says how the client handles information on your device, whichever server you connect to. What happens on the server, its operator's own policy says.",
		"TY-1.2": "It forms the rules together with the operator's own privacy policy; where they differ, the stricter one holds. Handler: the operator of the VPN.",
		"SUP-6":  "", "SUP-7": "", "TY-3.1a": "",
		"TY-3.2a": "The client keeps information on your device alone, until you delete it; its log for seven days. Where and how long servers keep information, their operator's policy says.",
		"TY-4.1":  "The client gives information to nobody but the server that you connect to.",
		"TY-4.2":  "The client does not transfer your information.",
		"TY-5.1a": "Private keys and seeds of tokens are kept in the system's key store, or in a file sealed by your passphrase; in a plain file only where you choose it. **No password is kept.**",
		"TY-5.1e": "",
		"TY-5.2":  "If somebody else uses your account, password or certificate, tell your administrator at once, who can cut the session and revoke the certificate in the console.",
		"TY-6.2":  "Corrections are made by your administrator in the operator's console.",
		"TY-6.3":  "The client does not cancel accounts; it leads to the operator's console.",
		"TY-7.1":  "Information of children of 14 and younger is sensitive: they may use the client only with a guardian's consent. Guardians can erase what the client keeps at any time, and ask the operator for deletion.",
		"TY-8.1":  "After a major change you have to **accept again** before the client connects.",
		"TY-9.1":  "For requests about your information turn to the operator of the VPN.",
		"TY-9.2":  "",
		"TY-9.3":  "If you are not satisfied with the answer, complain or report to the competent authority, or sue before the competent court at the defendant's place.",
	},
}

var (
	heads  = map[string]string{"zh-CN": "VPN 客户端 skyconnect 隐私政策", "en": "Privacy policy of the VPN client skyconnect"}
	words  = map[string]string{"zh-CN": "运营者", "en": "operator's"}
	tagged = regexp.MustCompile(`^\[([A-Z]+-[0-9A-Za-z.-]+)((?: [A-Z]+-[0-9A-Za-z.-]+)*)(?: @([a-z]+))?\] `)
)

// made is the built-in text of a language, from the document that we publish.
func made(t *testing.T, locale string) string {
	t.Helper()
	raw, err := os.ReadFile("../../control/consent/documents/client." + locale + ".md")
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.SplitN(string(raw), "---\n", 3)
	if len(parts) != 3 {
		t.Fatal("the document has no front matter")
	}
	version := regexp.MustCompile(`(?m)^version: (\S+)$`).FindStringSubmatch(parts[1])
	if version == nil {
		t.Fatal("the document has no version")
	}
	out := []string{version[1] + " " + heads[locale]}
	used := map[string]bool{}
	for _, raw := range strings.Split(parts[2], "\n\n") {
		if b := paragraph(strings.TrimSpace(raw), locale, used); b != "" {
			out = append(out, b)
		}
	}
	for id := range general[locale] {
		if !used[id] {
			t.Errorf("%s: the document has no paragraph %s any more", locale, id)
		}
	}
	text := strings.NewReplacer("{{version}}", version[1], "{{client}}", "skyconnect", "{{brand}}", words[locale]).Replace(strings.Join(out, "\n\n") + "\n")
	if i := strings.Index(text, "{{"); i >= 0 {
		t.Errorf("%s: nobody says what %.30q is", locale, text[i:])
	}
	return text
}

func paragraph(raw, locale string, used map[string]bool) string {
	if strings.HasPrefix(raw, "# ") {
		return "# " + heads[locale]
	}
	tag := tagged.FindStringSubmatch(raw)
	if tag == nil || tag[3] == "hongkong" {
		if tag != nil {
			return ""
		}
		return raw
	}
	text := raw[len(tag[0]):]
	if words, ok := general[locale][tag[1]]; ok {
		used[tag[1]] = true
		text = words
	}
	if text == "" {
		return ""
	}
	return "[" + tag[1] + tag[2] + "] " + text
}

func TestTheBuiltInTextIsMadeFromOurs(t *testing.T) {
	for _, locale := range bundle.Languages {
		want := made(t, locale)
		file := "builtin/" + locale + ".md"
		if *update {
			if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, string(got)); diff != "" {
			t.Errorf("%s: run go generate ./internal/client/policy\n%s", locale, diff)
		}
	}
}

func TestTheBuiltInTextIsWhole(t *testing.T) {
	t.Parallel()
	own := OwnText()
	if err := own.Check(); err != nil {
		t.Fatal(err)
	}
	var ids [2]string
	for i, x := range own.Texts {
		for _, b := range Blocks(x.Body) {
			ids[i] += fmt.Sprint(b.Clauses, b.Heading)
		}
	}
	if ids[0] != ids[1] {
		t.Errorf("the languages have other clauses:\n%s\n%s", ids[0], ids[1])
	}
	for _, id := range []string{"TY-0a", "TY-0b", "TY-2.2c", "TY-2.7b", "TY-6.4", "TY-8.1"} {
		if !strings.Contains(ids[0], id) {
			t.Errorf("%s is not in it", id)
		}
	}
}
