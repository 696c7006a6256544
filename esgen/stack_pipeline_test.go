package main

import (
	"slices"
	"testing"
)

// The stacks that deploy the service can do what they are for, and are no way in for others.

func TestPipelineMayUseItsConnection(t *testing.T) {
	s := deployingStack(t, "shop-pipeline")
	const connection = "arn:aws:codeconnections:eu-central-1:123456789012:connection/4f1c9c4e-0d7e-4f7c-9a58-2f1f0f4f8a11"
	for _, id := range s.of("AWS::IAM::Policy") {
		for _, statement := range statements(s.resources[id]) {
			// AWS has renamed connections; a policy has to have the name that is in the ARN.
			if slices.Contains(s.texts(statement["Action"]), "codeconnections:UseConnection") &&
				slices.Equal(s.texts(statement["Resource"]), []string{connection}) {
				return
			}
		}
	}
	t.Error("nobody may use the connection that the pipeline's source reads through")
}

func TestGitHubDeploysFromItsBranchOnly(t *testing.T) {
	s := deployingStack(t, "shop-github")
	roles := s.of("AWS::IAM::Role")
	if len(roles) != 1 {
		t.Fatalf("the roles %v, want one", roles)
	}
	for _, statement := range allStatements(s.resources[roles[0]]) {
		condition := at(statement, "Condition", "StringEquals")
		if statement["Action"] != "sts:AssumeRoleWithWebIdentity" ||
			at(condition, "token.actions.githubusercontent.com:aud") != "sts.amazonaws.com" ||
			at(condition, "token.actions.githubusercontent.com:sub") != "repo:acme/shop:ref:refs/heads/main" {
			t.Errorf("%s can be taken on by %v", roles[0], statement)
		}
	}
	checkWildcards(t, variants[0], s)
}

func deployingStack(t *testing.T, name string) *stage {
	t.Helper()
	return &stage{resources: templateOf(t, assemblyOf(t, variants[0].schema()), name).Resources}
}
