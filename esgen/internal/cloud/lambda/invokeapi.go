package lambda

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// ServeHTTP is the Invoke operation of Lambda's HTTP API, as SDKs call it. Who calls is not
// looked at.
func (h *Host) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	const prefix, suffix = "/2015-03-31/functions/", "/invocations"
	escaped := r.URL.EscapedPath()
	rest, ok := strings.CutPrefix(escaped, prefix)
	name, ends := strings.CutSuffix(rest, suffix)
	name, err := url.PathUnescape(name)
	if !ok || !ends || err != nil || r.Method != http.MethodPost {
		serviceError(w, http.StatusNotFound, "UnknownOperationException", "only Invoke is supported here")
		return
	}
	payload, err := io.ReadAll(io.LimitReader(r.Body, MaxPayload+1))
	if err != nil {
		return // the client is gone
	}
	switch kind := r.Header.Get("X-Amz-Invocation-Type"); kind {
	case "", "RequestResponse":
		result, err := h.Invoke(r.Context(), name, payload)
		if err != nil {
			invokeError(w, err)
			return
		}
		if result.FunctionError != "" {
			w.Header().Set("X-Amz-Function-Error", result.FunctionError)
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("X-Amz-Executed-Version", "$LATEST")
		_, _ = w.Write(result.Payload)
	case "Event":
		if _, err := h.find(name); err != nil {
			invokeError(w, err)
			return
		}
		go func() { _, _ = h.InvokeAsync(context.WithoutCancel(r.Context()), name, payload) }()
		w.WriteHeader(http.StatusAccepted)
	case "DryRun":
		if _, err := h.find(name); err != nil {
			invokeError(w, err)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	default:
		serviceError(w, http.StatusBadRequest, "InvalidParameterValueException", "no invocation type "+kind)
	}
}

func invokeError(w http.ResponseWriter, err error) {
	var missing *NotFoundError
	var large *TooLargeError
	switch {
	case errors.As(err, &missing):
		serviceError(w, http.StatusNotFound, "ResourceNotFoundException", err.Error())
	case errors.As(err, &large):
		serviceError(w, http.StatusRequestEntityTooLarge, "RequestTooLargeException", err.Error())
	default:
		serviceError(w, http.StatusInternalServerError, "ServiceException", err.Error())
	}
}

func serviceError(w http.ResponseWriter, status int, kind, message string) {
	text, err := json.Marshal(map[string]string{"Type": "User", "Message": message})
	if err != nil {
		panic(err) // two texts
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Amzn-Errortype", kind)
	w.WriteHeader(status)
	_, _ = w.Write(text)
}
