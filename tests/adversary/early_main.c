/* SPDX-License-Identifier: MIT */
void tcpdiag_test_early(void);

int main(void)
{
    tcpdiag_test_early();
    return 0;
}
