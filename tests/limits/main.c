/* SPDX-License-Identifier: MIT */
void deep_connect(void);

int main(void)
{
    deep_connect();
    return 0;
}
