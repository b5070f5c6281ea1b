package aliyun

import (
	"encoding/hex"
	"net/http"
	"net/url"
	"strings"

	"github.com/skybridge-cloud/skybridge/internal/platform/civilid"
)

// check decides on an identity.
func (s *Server) check(form url.Values) verdict {
	v := verdict{status: http.StatusOK, code: "401", message: "参数非法"}
	if len(form) != 3 || form.Get("ParamType") != "sm2" {
		return v // other modes are not accepted here
	}
	name, err1 := s.decrypt(form.Get("UserName"))
	number, err2 := s.decrypt(form.Get("IdentifyNum"))
	if err1 != nil || err2 != nil || name == "" || !civilid.CheckDigit(number) || !strings.HasPrefix(number, s.config.Region) {
		return v
	}
	v.code, v.biz, v.message = decide(name)
	return v
}

func decide(name string) (code, biz, message string) {
	switch {
	case strings.HasSuffix(name, "错"):
		return "200", "2", "success"
	case strings.HasSuffix(name, "无"):
		return "200", "3", "success"
	case strings.HasSuffix(name, "限"):
		return "403", "", "异常重复调用"
	case strings.HasSuffix(name, "坏"):
		return "402", "", "权威源服务异常"
	}
	return "200", "1", "success"
}

func (s *Server) decrypt(field string) (string, error) {
	raw, err := hex.DecodeString(field)
	if err != nil {
		return "", err
	}
	plain, err := s.key.Decrypt(nil, raw, nil)
	return string(plain), err
}
