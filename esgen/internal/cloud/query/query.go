// Package query is the serving side of AWS's Query protocol: a form comes in, XML goes out.
package query

import (
	"crypto/rand"
	"encoding/xml"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Failure is an error as the service would answer it.
type Failure struct {
	Code    string
	Message string
	Status  int // of HTTP; below 500 it is the caller's fault
}

func (f *Failure) Error() string { return f.Code + ": " + f.Message }

// Form has the parameters of a request. Each is taken once; Rest says that one was not: an
// operation that leaves one alone would do something else than it was asked to.
type Form struct{ values url.Values }

// Read reads the form of a request of at most max bytes, and the operation that it names.
func Read(w http.ResponseWriter, r *http.Request, max int64) (*Form, string, *Failure) {
	if r.Method != http.MethodPost || !strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		return nil, "", &Failure{"InvalidAction", "this is AWS's Query protocol: POST a form", http.StatusBadRequest}
	}
	r.Body = http.MaxBytesReader(w, r.Body, max)
	if err := r.ParseForm(); err != nil {
		if _, large := errors.AsType[*http.MaxBytesError](err); large {
			return nil, "", &Failure{"RequestEntityTooLarge", fmt.Sprintf("the request has more than %d bytes", max), http.StatusRequestEntityTooLarge}
		}
		return nil, "", &Failure{"MalformedInput", "the request is no form", http.StatusBadRequest}
	}
	form := &Form{r.PostForm}
	form.Take("Version")
	return form, form.Take("Action"), nil
}

// Take returns a parameter, "" if there is none.
func (f *Form) Take(name string) string {
	value := f.values.Get(name)
	delete(f.values, name)
	return value
}

// Has reports whether a parameter that begins so is left.
func (f *Form) Has(prefix string) bool {
	for name := range f.values {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// Rest refuses what nobody took.
func (f *Form) Rest() *Failure {
	if len(f.values) == 0 {
		return nil
	}
	name := slices.Sorted(maps.Keys(f.values))[0]
	return &Failure{"InvalidParameter", fmt.Sprintf("the parameter %.70q is not honoured by this stand-in", name), http.StatusBadRequest}
}

// Answer writes the result of an operation, a value for encoding/xml.
func Answer(w http.ResponseWriter, namespace, action string, result any) {
	id := rand.Text()
	type metadata struct {
		RequestId string
	}
	body := struct {
		XMLName  xml.Name
		Result   any
		Metadata metadata `xml:"ResponseMetadata"`
	}{xml.Name{Space: namespace, Local: action + "Response"}, wrapped{action + "Result", result}, metadata{id}}
	send(w, http.StatusOK, id, body)
}

// wrapped is a value under the name of its element.
type wrapped struct {
	name  string
	value any
}

func (v wrapped) MarshalXML(e *xml.Encoder, _ xml.StartElement) error {
	return e.EncodeElement(v.value, xml.StartElement{Name: xml.Name{Local: v.name}})
}

// Refuse writes an error.
func Refuse(w http.ResponseWriter, namespace string, f *Failure) {
	id := rand.Text()
	side := "Sender"
	if f.Status >= 500 {
		side = "Receiver"
	}
	type inner struct{ Type, Code, Message string }
	send(w, f.Status, id, struct {
		XMLName   xml.Name
		Error     inner
		RequestId string
	}{xml.Name{Space: namespace, Local: "ErrorResponse"}, inner{side, f.Code, f.Message}, id})
}

func send(w http.ResponseWriter, status int, id string, body any) {
	w.Header().Set("Content-Type", "text/xml")
	w.Header().Set("X-Amzn-Requestid", id)
	w.WriteHeader(status)
	_ = xml.NewEncoder(w).Encode(body) // the client is gone if this fails
}
