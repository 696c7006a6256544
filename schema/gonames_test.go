package schema_test

import (
	"go/build"
	"go/token"
	"io"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/esgen/esgen/schema"
	"pgregory.net/rapid"
)

func TestGoName(t *testing.T) {
	for name, want := range map[string]string{
		"customerId": "CustomerID", "trackingCode": "TrackingCode", "OrderPlaced": "OrderPlaced", "id": "ID",
		"urls": "Urls", "userIDs": "UserIDs", "httpUrl": "HTTPURL", "HTTPServer": "HTTPServer", "utf8Text": "UTF8Text",
		"ip4": "IP4", "ip4Id": "IP4ID", "line2": "Line2", "in-progress": "InProgress", "type": "Type", "a": "A",
		"": "X", "1st": "X1st", "_x": "X", "日": "X日", "äöü": "Äöü", "identity": "Identity", "dbTs": "DBTS",
		"UserIdAdded": "UserIDAdded", "xmlHttpRequest": "XMLHTTPRequest", "a\xffb": "AB",
	} {
		if got := schema.GoName(name); got != want {
			t.Errorf("GoName(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestGoLocal(t *testing.T) {
	for name, want := range map[string]string{
		"customerId": "customerID", "URL": "url", "HTTPServer": "httpServer", "OrderPlaced": "orderPlaced",
		"type": "typeValue", "len": "lenValue", "": "x", "1st": "x1st", "id": "id", "init": "initValue",
	} {
		if got := schema.GoLocal(name); got != want {
			t.Errorf("GoLocal(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestGoConst(t *testing.T) {
	for value, want := range map[string]string{
		"placed": "Placed", "EUR": "EUR", "in-progress": "InProgress", "IN_PROGRESS": "InProgress", "1st": "1st",
		"": "Empty", "A+": "APlus", "A-": "AMinus", "ä": "Ä", "+": "Plus", "1.5": "1Dot5", "1-5": "1_5", "15": "15",
		"a b": "AB", " ": "Space", "€": "U20AC", "customer_id": "CustomerID", "a\nb": "AU000AB", "C++": "CPlusPlus",
		"<=": "LessEqual", "text/html": "TextHTML",
	} {
		if got := schema.GoConst(value); got != want {
			t.Errorf("GoConst(%q) = %q, want %q", value, got, want)
		}
	}
}

func TestGoFields(t *testing.T) {
	got := schema.GoFields([]string{"entityId", "decode", "entityIdField", "name", "format"}, schema.EventMethods)
	want := []string{"EntityIDFieldField", "DecodeField", "EntityIDField", "Name", "Format"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestGoFile(t *testing.T) {
	for name, want := range map[string]string{
		"OrderPlaced": "order_placed", "SelfTest": "selftest", "DeviceWindows": "devicewindows",
		"DeviceWindowsAmd64": "devicewindowsamd64", "RobotArm": "robotarm", "Windows": "windows", "Test": "test",
		"HTTPServerStarted": "http_server_started", "Order2Placed": "order2_placed", "Aux": "aux_file", "": "file",
		"shipping-email": "shipping_email", "LinuxInstalled": "linux_installed", "OrderGen": "ordergen",
	} {
		if got := schema.GoFile(name); got != want {
			t.Errorf("GoFile(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestGoPackage(t *testing.T) {
	for name, want := range map[string]string{
		"customer-summary": "customersummary", "default": "defaultview", "func": "funcview", "internal": "internalview",
		"string": "stringview", "main": "mainview", "types": "typesview", "events": "eventsview", "time": "timeview",
		"1st": "view1st", "": "view", "_x": "x", "con": "conview", "orders": "orders", "init": "initview",
	} {
		if got := schema.GoPackage(name, "view"); got != want {
			t.Errorf("GoPackage(%q) = %q, want %q", name, got, want)
		}
	}
}

// TestNamesAreValid feeds any text: what comes out is always something that Go
// takes, and always the same.
func TestNamesAreValid(t *testing.T) {
	parts := rapid.SampledFrom([]string{"id", "Url", "test", "windows", "Amd64", "_", "-", "1", "utf8", "é", "func", "日", "+", "con"})
	text := rapid.OneOf(rapid.String(), rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOf(parts).Draw(t, "parts"), "")
	}))
	rapid.Check(t, func(t *rapid.T) {
		s := text.Draw(t, "text")
		if id := schema.GoName(s); !token.IsIdentifier(id) || !token.IsExported(id) || id != schema.GoName(s) {
			t.Fatalf("GoName(%q) = %q", s, id)
		}
		if id := schema.GoLocal(s); !token.IsIdentifier(id) || token.IsExported(id) {
			t.Fatalf("GoLocal(%q) = %q", s, id)
		}
		if id := schema.GoEnumConst("T", s); !token.IsIdentifier(id) || len(id) < 2 {
			t.Fatalf("GoEnumConst(%q) = %q", s, id)
		}
		checkPackage(t, s)
		checkFile(t, s)
	})
}

func checkPackage(t *rapid.T, name string) {
	pkg := schema.GoPackage(name, "view")
	if !token.IsIdentifier(pkg) || strings.ContainsFunc(pkg, func(r rune) bool { return unicode.IsUpper(r) || r > 0x7f }) {
		t.Fatalf("GoPackage(%q) = %q", name, pkg)
	}
}

// checkFile asks the go command's own rules whether the file is compiled on two
// platforms that have no constraint in common.
func checkFile(t *rapid.T, name string) {
	file := schema.GoFile(name) + ".go"
	if strings.HasSuffix(file, "_test.go") || strings.HasPrefix(file, "_") || strings.HasPrefix(file, ".") {
		t.Fatalf("GoFile(%q) = %q", name, file)
	}
	for _, at := range [][2]string{{"linux", "amd64"}, {"windows", "arm64"}} {
		ctx := build.Context{GOOS: at[0], GOARCH: at[1], OpenFile: emptyGoFile}
		if ok, err := ctx.MatchFile("", file); !ok || err != nil {
			t.Fatalf("GoFile(%q) = %q is left out on %s/%s (%v)", name, file, at[0], at[1], err)
		}
	}
}

func emptyGoFile(string) (io.ReadCloser, error) {
	return io.NopCloser(strings.NewReader("package p\n")), nil
}
