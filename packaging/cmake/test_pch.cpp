// The program that holds the precompiled header of the tests; nobody runs it.
int main() {}
